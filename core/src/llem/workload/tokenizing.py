"""Find a model's tokenizer and encode texts with it, through the chat template if requested."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from llem.api.session import TokenizerExport
from llem.errors import WorkloadError
from llem.schema.experiment import ModelConfig
from llem.workload.prompt import Messages

_FILE = "tokenizer.json"


def find_tokenizer(model: ModelConfig) -> TokenizerExport | None:
    """Return the tokenizer that ``model.tokenizer`` names, else the model's own.

    Args:
        model: The model; for an embedded shape, ``id`` is its folder.

    Returns:
        ``None`` if the model has no ``tokenizer.json``; the engine may still provide a tokenizer.

    Raises:
        WorkloadError: ``model.tokenizer`` has no ``tokenizer.json``.
    """
    if model.tokenizer is not None:
        found = _from(model.tokenizer, None)
        if found is None:
            raise WorkloadError(
                f"{model.tokenizer} has no {_FILE}",
                hint="model.tokenizer names a hub id or a folder with a tokenizer.json.",
            )
        return found
    # A GGUF file contains its tokenizer, which only the engine can read.
    return None if model.gguf_file else _from(model.id, model.revision)


def _from(model_id: str, revision: str | None) -> TokenizerExport | None:
    folder = Path(model_id).expanduser()

    def read(name: str) -> str | None:
        path = folder / name if folder.is_dir() else _from_hub(model_id, name, revision)
        return path.read_text(encoding="utf-8") if path is not None and path.is_file() else None

    tokenizer_json = read(_FILE)
    if tokenizer_json is None:
        return None
    config = json.loads(read("tokenizer_config.json") or "{}")
    return TokenizerExport(
        tokenizer_json=tokenizer_json,
        chat_template=read("chat_template.jinja") or _default_template(config.get("chat_template")),
        special_tokens=_special_tokens(config),
    )


def _from_hub(model_id: str, name: str, revision: str | None) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    try:
        return Path(hf_hub_download(model_id, name, revision=revision))
    # Offline and not cached counts as "not found"; the engine reports a missing model.
    except (EntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
        return None


def _default_template(template: Any) -> str | None:
    """Return the template; of several named templates, the one named ``default``."""
    if isinstance(template, list):
        named = {entry["name"]: entry["template"] for entry in template}
        return named.get("default")
    return template if isinstance(template, str) else None


def _special_tokens(config: dict[str, Any]) -> dict[str, str]:
    """Return the special tokens that a chat template may use, such as ``bos_token``."""
    found = {}
    for name, value in config.items():
        text = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(text, str):
            found[name] = text
    return found


class Encoder:
    """Encodes prompts as Hugging Face transformers does.

    Raises:
        WorkloadError: ``export.tokenizer_json`` is not JSON.
    """

    def __init__(self, export: TokenizerExport) -> None:
        from tokenizers import Tokenizer

        self._export = export
        try:
            json.loads(export.tokenizer_json)
        except ValueError as error:
            raise WorkloadError(f"the model's tokenizer.json is not JSON: {error}") from error
        self._tokenizer = Tokenizer.from_str(export.tokenizer_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode(self, prompts: Sequence[str | Messages], *, chat: bool) -> list[list[int]]:
        """Return the ids of each prompt.

        Messages are rendered by the model's chat template. The template then writes the special
        tokens, and the tokenizer adds none.

        Args:
            prompts: Texts and messages.
            chat: Whether to render each text as a user message, too.

        Raises:
            WorkloadError: The model has no chat template, or the template refuses the message.
        """
        plain = [prompt for prompt in prompts if isinstance(prompt, str) and not chat]
        chats = [self.render(prompt) for prompt in prompts if chat or isinstance(prompt, Messages)]
        of_plain = iter(self._tokenizer.encode_batch(plain, add_special_tokens=True))
        of_chats = iter(self._tokenizer.encode_batch(chats, add_special_tokens=False))
        return [
            next(of_chats if chat or isinstance(prompt, Messages) else of_plain).ids
            for prompt in prompts
        ]

    def render(self, prompt: str | Messages) -> str:
        """Return the chat of ``prompt``, a text as one user message, to where the answer begins."""
        from jinja2 import TemplateError

        messages = (
            [{"role": "user", "content": prompt}]
            if isinstance(prompt, str)
            else [dict(message) for message in prompt.messages]
        )
        try:
            rendered: str = self._template.render(
                messages=messages,
                tools=None,
                documents=None,
                add_generation_prompt=True,
                **self._export.special_tokens,
            )
        except TemplateError as error:
            raise WorkloadError(f"the chat template refused a prompt: {error}") from error
        return rendered

    @cached_property
    def _template(self) -> Any:
        """The compiled template, in the same sandbox and with the same options as transformers."""
        from jinja2 import TemplateError
        from jinja2.ext import loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        if self._export.chat_template is None:
            raise WorkloadError(
                "the model has no chat template",
                hint="Set workload.chat_template: false, or name another model.tokenizer.",
            )

        def refuse(message: str) -> NoReturn:
            raise TemplateError(message)

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        try:
            return environment.from_string(self._export.chat_template)
        except TemplateError as error:
            raise WorkloadError(f"the chat template is not valid: {error}") from error


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    """Return JSON without HTML escapes, unlike Jinja's own filter."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)
