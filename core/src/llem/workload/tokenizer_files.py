"""Find a model's tokenizer: in a folder or on the hub, read as transformers reads its files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from llem.api.session import TokenizerExport
from llem.errors import WorkloadError, os_errors_as
from llem.schema.experiment import ModelConfig
from llem.workload.shape_folder import CHAT_TEMPLATE, tokenizer_config, tokenizer_json

TOKENIZER = "tokenizer.json"
_CONFIG = "tokenizer_config.json"
_TEMPLATE = "chat_template.jinja"
_NAMED_TEMPLATES = "additional_chat_templates"
_PROCESSOR_TEMPLATE = "chat_template.json"

_STANDARD = frozenset(
    f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
)
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")

_END_OF_TEXT = "<|endoftext|>"
_CLASS_TOKENS = {
    "LlamaTokenizer": {"unk": "<unk>", "bos": "<s>", "eos": "</s>"},
    "GPT2Tokenizer": dict.fromkeys(("unk", "bos", "eos"), _END_OF_TEXT),
    "GPTNeoXTokenizer": dict.fromkeys(("unk", "bos", "eos"), _END_OF_TEXT) | {"pad": "<|padding|>"},
    "Qwen2Tokenizer": dict.fromkeys(("unk", "eos", "pad"), _END_OF_TEXT),
    "GemmaTokenizer": {
        "unk": "<unk>", "bos": "<bos>", "eos": "<eos>", "pad": "<pad>", "mask": "<mask>",
    },
    "CohereTokenizer": {
        "unk": "<UNK>", "bos": "<BOS_TOKEN>", "eos": "<|END_OF_TURN_TOKEN|>", "pad": "<PAD>",
        "cls": "<CLS>", "sep": "<SEP>", "mask": "<MASK_TOKEN>",
    },
}  # fmt: skip
"""Special tokens that a class of transformers brings where no file names them."""

_OTHER_FORMS = (
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tekken.json",
    "tiktoken.model",
    "vocab.json",
    "vocab.txt",
)
"""Files of tokenizers that only transformers, sentencepiece or tiktoken can read."""

_MOST_BYTES = 256 * 2**20


def find_tokenizer(model: ModelConfig) -> TokenizerExport | None:
    """Return the tokenizer that ``model.tokenizer`` names, else the model's own.

    Args:
        model: The model.

    Returns:
        ``None`` if the model has no ``tokenizer.json``; the engine may still provide a tokenizer.

    Raises:
        WorkloadError: ``model.tokenizer`` has no ``tokenizer.json``, or a file cannot be read.
    """
    if model.tokenizer is not None:
        found = _read(_Files(model.tokenizer, None))
        if found is None:
            raise WorkloadError(
                f"{model.tokenizer} has no {TOKENIZER}",
                hint=_conversion(_Files(model.tokenizer, None))
                or f"model.tokenizer names a hub id or a folder with a {TOKENIZER}.",
            )
        return found
    if model.is_shape:
        special = {name: text for name, text in tokenizer_config().items() if name in _STANDARD}
        content = json.dumps(tokenizer_json())
        return TokenizerExport(content, CHAT_TEMPLATE, special, origin=f"{model.id}, {TOKENIZER}")
    # A GGUF file contains its tokenizer, which only the engine can read.
    return None if model.gguf_file else _read(_Files(model.id, model.revision))


def no_tokenizer(model: ModelConfig) -> WorkloadError:
    """Return the error for a model whose tokenizer neither the host nor the engine can read."""
    hint = "" if model.gguf_file else _conversion(_Files(model.id, model.revision))
    return WorkloadError(
        f"llem can read no tokenizer of {model.id}: there is no {TOKENIZER}",
        hint=hint or "Set model.tokenizer, or use a synthetic workload.",
    )


class _Files:
    """The files of a folder, or of a model on the hub."""

    def __init__(self, model_id: str, revision: str | None) -> None:
        self.id = model_id
        self._revision = revision
        folder = Path(model_id).expanduser()
        self._folder = folder if folder.is_dir() else None

    def name(self, file: str) -> str:
        """Return how messages name a file."""
        return f"{self.id.rstrip('/')}/{file}"

    def path(self, file: str) -> Path | None:
        """Return where a file lies; ``None`` if there is none."""
        path = self._folder / file if self._folder is not None else self._from_hub(file)
        return path if path is not None and path.is_file() else None

    def text(self, file: str) -> str | None:
        """Return the content of a file; ``None`` if there is none."""
        path = self.path(file)
        if path is None:
            return None
        name = self.name(file)
        with os_errors_as(WorkloadError, f"cannot read {name}"):
            if path.stat().st_size > _MOST_BYTES:
                raise WorkloadError(f"{name} is larger than {_MOST_BYTES // 2**20} MiB")
            try:
                return path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise WorkloadError(f"{name} is not UTF-8 text: {error.reason}") from error

    def document(self, file: str) -> dict[str, Any]:
        """Return the object in a JSON file; empty if there is no such file."""
        text = self.text(file)
        return {} if text is None else _parsed(text, self.name(file))

    def templates(self) -> Iterator[str]:
        """Yield the names of the templates that have a file of their own each."""
        folder = self._folder
        if folder is None:
            from huggingface_hub import HfApi
            from huggingface_hub.errors import HfHubHTTPError, HFValidationError

            try:
                entries = HfApi().list_repo_tree(
                    self.id, path_in_repo=_NAMED_TEMPLATES, revision=self._revision
                )
                names = [entry.path for entry in entries]
            # Offline: those that are cached. Most models have no such folder.
            except (HfHubHTTPError, HFValidationError, OSError):
                known = self.path(TOKENIZER)
                folder = known.parent if known is not None else None
                names = []
            yield from sorted(Path(name).stem for name in names if name.endswith(".jinja"))
        if folder is not None:
            yield from sorted(path.stem for path in (folder / _NAMED_TEMPLATES).glob("*.jinja"))

    def _from_hub(self, file: str) -> Path | None:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

        try:
            return Path(hf_hub_download(self.id, file, revision=self._revision))
        # Offline and not cached counts as "not found"; the engine reports a missing model.
        except (EntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
            return None


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WorkloadError(f"{name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise WorkloadError(f"{name} holds no JSON object")
    return document


def _read(files: _Files) -> TokenizerExport | None:
    tokenizer_json = files.text(TOKENIZER)
    if tokenizer_json is None:
        return None
    config = files.document(_CONFIG)
    template, origins = _template(files, config)
    stored = _stored(tokenizer_json, files.name(TOKENIZER))
    named, added = _tokens(files, config, stored)
    return TokenizerExport(
        tokenizer_json=tokenizer_json,
        chat_template=template,
        special_tokens=named,
        added_tokens=added,
        splits_special_tokens=config.get("split_special_tokens") is True,
        origin=files.name(TOKENIZER),
        template_origins=origins,
    )


def _template(
    files: _Files, config: Mapping[str, Any]
) -> tuple[str | dict[str, str] | None, dict[str, str]]:
    """Return the chat template, or all by name, and the file of each; files win over the config."""
    places = {"default": _TEMPLATE} | {
        name: f"{_NAMED_TEMPLATES}/{name}.jinja" for name in files.templates()
    }
    texts = {name: files.text(place) for name, place in places.items()}
    found = {name: text for name, text in texts.items() if text is not None}
    if found:
        origins = {name: files.name(places[name]) for name in found}
        return (found["default"] if list(found) == ["default"] else found), origins
    for file, document in ((_CONFIG, config), (_PROCESSOR_TEMPLATE, None)):
        document = files.document(file) if document is None else document
        value = document.get("chat_template")
        if value is None:
            continue
        place = f"{files.name(file)}, chat_template"
        if isinstance(value, str):
            return value, {"default": place}
        named = _named_templates(value, place)
        return named, {name: f"{place} {name}" for name in named}
    return None, {}


def _named_templates(value: Any, place: str) -> dict[str, str]:
    """Return templates by name, from an object or from a list of entries."""
    named = value
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        named = {entry.get("name"): entry.get("template") for entry in value}
    if isinstance(named, dict):
        texts = [*named, *named.values()]
        if all(isinstance(text, str) for text in texts):
            return named
    raise WorkloadError(f"{place} is neither a text nor texts by name")


class _Stored(NamedTuple):
    """What a ``tokenizer.json`` says about its tokens.

    Attributes:
        added: The added tokens by text.
        padding: The text that pads a batch, if it says so.
        is_byte_level: Whether it works on bytes, as GPT-2 does.
    """

    added: dict[str, dict[str, Any]]
    padding: str | None
    is_byte_level: bool


@lru_cache(maxsize=4)
def _stored(tokenizer_json: str, name: str) -> _Stored:
    document = _parsed(tokenizer_json, name)
    tokens, padding = document.get("added_tokens") or [], document.get("padding") or {}
    return _Stored(
        added=_by_text(tokens, f"{name}, added_tokens"),
        padding=padding.get("pad_token"),
        is_byte_level='"ByteLevel"' in tokenizer_json,
    )


def _by_text(tokens: Any, place: str) -> dict[str, dict[str, Any]]:
    """Return added tokens by text, each as the arguments of ``tokenizers.AddedToken``."""
    found = {}
    for token in tokens if isinstance(tokens, list) else [None]:
        if not isinstance(token, dict) or not isinstance(token.get("content"), str):
            raise WorkloadError(f"{place} is no list of tokens")
        found[token["content"]] = _flags(token)
    return found


def _flags(token: Mapping[str, Any]) -> dict[str, Any]:
    special = token.get("special") is True
    defaults = dict.fromkeys(_FLAGS, False) | {"special": special, "normalized": not special}
    return {name: bool(token.get(name, value)) for name, value in defaults.items()} | {
        "content": token["content"]
    }


def _tokens(
    files: _Files, config: Mapping[str, Any], stored: _Stored
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the special tokens by name, and the tokens that the tokenizer itself lacks.

    As transformers does, ``special_tokens_map.json`` and ``added_tokens.json`` count only where
    ``tokenizer_config.json`` does not list the added tokens itself.
    """
    values = dict(config)
    if not values.get("extra_special_tokens"):
        values["extra_special_tokens"] = values.pop("additional_special_tokens", None)
    listed = config.get("added_tokens_decoder")
    if listed is None:
        for key, value in files.document("special_tokens_map.json").items():
            is_token = isinstance(value, dict) and key != "extra_special_tokens"
            values[key] = value | _TYPE if is_token else value
    tokenizer_class = str(config.get("tokenizer_class")).removesuffix("Fast")
    # Llama 3 and others name Llama's class, and transformers takes the general one for them.
    if not (tokenizer_class == "LlamaTokenizer" and stored.is_byte_level):
        for name, text in _CLASS_TOKENS.get(tokenizer_class, {}).items():
            values.setdefault(f"{name}_token", text)
    values.setdefault("pad_token", stored.padding)
    extra = values["extra_special_tokens"] or values.get("additional_special_tokens") or []
    named = {
        key: token
        for key, value in (values | (extra if isinstance(extra, dict) else {})).items()
        if key in _STANDARD or (isinstance(extra, dict) and key in extra) or _is_named(key, value)
        if (token := _special(value)) is not None
    }
    special = [*named.values()]
    if isinstance(extra, list):
        special += [token for value in extra if (token := _special(value)) is not None]
    if listed is None:
        texts = {token["content"] for token in special}
        extended = files.document("added_tokens.json")
        added = [
            _flags({"content": text, "special": text in texts})
            for text in sorted(extended, key=lambda text: int(extended[text]))
            if text not in stored.added
        ]
    else:
        place = f"{files.name(_CONFIG)}, added_tokens_decoder"
        if not isinstance(listed, dict) or not all(map(str.isdecimal, listed)):
            raise WorkloadError(f"{place} is no object of tokens by id")
        tokens = _by_text([listed[number] for number in sorted(listed, key=int)], place)
        added = [token for text, token in tokens.items() if stored.added.get(text) != token]
        special = [token for token in special if token["content"] not in tokens]
    known = {*stored.added, *(token["content"] for token in added)}
    for token in special:
        if token["content"] not in known:
            added.append(token)
            known.add(token["content"])
    return {name: token["content"] for name, token in named.items()}, added


_TYPE = {"__type": "AddedToken"}


def _is_named(key: str, value: Any) -> bool:
    """Whether a value of a name of its own, such as ``image_token``, is a special token."""
    is_object = isinstance(value, dict) and value.items() >= _TYPE.items()
    return key.endswith("_token") and (is_object or isinstance(value, str))


def _special(value: Any) -> dict[str, Any] | None:
    """Return a special token as arguments; ``None`` for what is no token."""
    token = {"content": value} if isinstance(value, str) else value
    if not isinstance(token, dict) or not isinstance(token.get("content"), str):
        return None
    return _flags({**token, "special": True})


def _conversion(files: _Files) -> str:
    """Return how to convert a tokenizer of another form; empty if the model has none."""
    other = next((file for file in _OTHER_FORMS if files.path(file) is not None), None)
    if other is None:
        return ""
    return (
        f"It has {other}: convert it once where transformers is installed, with "
        f"AutoTokenizer.from_pretrained({files.id!r}).save_pretrained('tokenizer'), and set "
        "model.tokenizer: tokenizer."
    )
