"""No list of allowed reasons talks a failed, made-up or unmeasured figure into validity."""

import pytest

from llem.config.rule_checks import wrong_codes
from llem.schema.outcome import Reason
from llem.schema.reason_codes import ALLOWABLE, CATALOG, decide_verdict

NEVER = (
    "engine-error", "worker-died", "out-of-memory", "interrupted", "simulated-engine", "imported",
    "effective-differs", "quantisation-not-applied", "device-unmetered", "meter-lost",
    "device-lost", "prefix-cache-hits", "compile-failed", "beyond-roofline", "no-such-code",
)  # fmt: skip


@pytest.mark.parametrize("code", NEVER)
def test_it_invalidates_whatever_is_allowed(code):
    verdict, warnings = decide_verdict([Reason(code=code, message="it happened")], allow=[code])
    assert not verdict.valid
    assert warnings == ()
    (problem,) = wrong_codes([code])
    assert problem.path == "measurement.thresholds.allow"
    assert problem.severity == "error"


@pytest.mark.parametrize("code", sorted(ALLOWABLE))
def test_a_matter_of_a_threshold_may_be_allowed(code):
    reason = Reason(code=code, message="beyond")
    assert decide_verdict([reason], allow=[code])[0].valid
    assert not decide_verdict([reason])[0].valid
    assert list(wrong_codes([code])) == []


def test_what_may_be_allowed_has_a_threshold_of_the_config():
    others = {entry.code for entry in CATALOG if entry.is_allowable and not entry.threshold}
    assert others == {"foreign-process"}
    assert not {entry.code for entry in CATALOG if not entry.invalidates} & ALLOWABLE


def test_a_misspelt_name_is_put_right():
    (problem,) = wrong_codes(["throtled"])
    assert problem.hint == "Did you mean throttled?"
    (problem,) = wrong_codes(["idle-drift"])
    assert "a warning in any case" in problem.message
