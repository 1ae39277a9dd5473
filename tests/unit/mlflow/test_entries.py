"""An outcome as parameters, metrics and tags; MLflow itself is not needed."""

import pytest

from llem.schema.outcome import Outcome
from llem_mlflow.entries import metrics, parameters, repetitions, tags

OUTCOME = Outcome.model_validate(
    {
        "id": "x",
        "experiment_sha256": "0",
        "status": "done",
        "verdict": {"valid": False, "reasons": [{"code": code, "message": ""} for code in "ab"]},
        "experiment": {
            "backend": "some", "name": None, "model": {"id": "m"},
            "some": {"size": 4, "flag": False, "stop": ["x"], "empty": {}},
        },
        "plan": {},
        "effective": {"load.dtype": "bfloat16", "generate.a/b": 1, "long": "y" * 9000},
        "environment": {
            "llem_version": "0", "started_at": "2026-01-01T00:00:00+00:00", "system": "Linux",
            "cpu": "c", "logical_cores": 2, "memory_bytes": 1, "devices": ["cpu"],
        },
        "timing": {
            "duration_s": 2.0, "load_s": None, "stop_reason": "precision",
            "repetitions": [
                {"start_monotonic_s": 9.0, "duration_s": 1.0, "input_tokens": 1, "output_tokens": 2,
                 "output_tokens_per_s": 2.0, "gross_j": joules}
                for joules in (3.0, None)
            ],
        },
        "memory": {
            "host_peak_rss_bytes": 5, "device_peak_bytes": None, "weights_bytes": None,
            "kv_cache_bytes_per_token": None, "other": {"engine pool_bytes": 7},
        },
        "counters": {"hits:total": 0.0},
    }
)  # fmt: skip


def test_parameters_are_flat_and_leave_out_what_is_unset():
    found = parameters(OUTCOME)
    assert found["experiment.some.size"] == "4"
    assert found["experiment.some.flag"] == "false"
    assert found["experiment.some.stop"] == '["x"]'
    assert found["effective.load.dtype"] == "bfloat16"
    assert "experiment.name" not in found
    assert "experiment.some.empty" not in found


def test_keys_and_values_are_what_mlflow_takes():
    found = parameters(OUTCOME)
    assert found["effective.generate.a_b"] == "1"
    assert len(found["effective.long"]) == 6000


def test_what_was_not_measured_is_not_there_and_a_zero_is():
    found = metrics(OUTCOME)
    assert found["memory.host_peak_rss_bytes"] == 5.0
    assert found["counters.hits:total"] == 0.0
    assert found["memory.other.engine pool_bytes"] == 7.0
    assert found["timing.duration_s"] == 2.0
    unmeasured = ("memory.device_peak_bytes", "timing.load_s", "energy", "energy.gross_j")
    assert not set(unmeasured) & set(found)
    assert not [name for name, value in found.items() if not isinstance(value, float)]


def test_a_repetition_is_a_step_and_has_only_what_was_measured():
    found = list(repetitions(OUTCOME))
    assert (0, "repetition.gross_j", 3.0) in found
    assert not [entry for entry in found if entry[0] == 1 and entry[1] == "repetition.gross_j"]
    assert {name for _, name, _ in found} >= {"repetition.duration_s", "repetition.output_tokens"}
    assert "repetition.start_monotonic_s" not in {name for _, name, _ in found}


@pytest.mark.parametrize(
    ("name", "value"),
    [("valid", "false"), ("reasons", "a b"), ("id", "x"), ("status", "done"), ("devices", "cpu")],
)
def test_tags_tell_the_verdict(name, value):
    assert tags(OUTCOME)[f"llem.{name}"] == value


def test_a_tag_of_nothing_is_not_there():
    assert not {"llem.study", "llem.engine", "llem.warnings"} & set(tags(OUTCOME))
