"""Texts to token ids, with the `tokenizers` library and, on request, the chat template."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NoReturn

from tokenizers import Tokenizer

from llem.api.errors import WorkloadError
from llem.api.session import TokenizerExport


class Encoder:
    """Turns prompts into token ids as Hugging Face does.

    Args:
        export: The tokenizer.

    Raises:
        WorkloadError: It is not JSON.
    """

    def __init__(self, export: TokenizerExport) -> None:
        self._export = export
        try:
            json.loads(export.tokenizer_json)
        except ValueError as error:
            raise WorkloadError(f"the model's tokenizer.json is not JSON: {error}") from error
        self._tokenizer = Tokenizer.from_str(export.tokenizer_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode(self, texts: Sequence[str], *, chat: bool) -> list[list[int]]:
        """Return the ids of each text.

        Args:
            texts: The prompts.
            chat: Wrap each as one user message by the model's chat template. Special tokens
                are then the template's business and not added again.

        Raises:
            WorkloadError: The model has no chat template, or it refuses the message.
        """
        prompts = [self.render(text) for text in texts] if chat else list(texts)
        encodings = self._tokenizer.encode_batch(prompts, add_special_tokens=not chat)
        return [encoding.ids for encoding in encodings]

    def render(self, text: str) -> str:
        """Return ``text`` as one user message, ready for the assistant's answer."""
        from jinja2 import TemplateError

        messages = [{"role": "user", "content": text}]
        try:
            rendered: str = self._template.render(
                messages=messages, add_generation_prompt=True, **self._export.special_tokens
            )
        except TemplateError as error:
            raise WorkloadError(f"the chat template refused a prompt: {error}") from error
        return rendered

    @cached_property
    def _template(self) -> Any:
        """The template, compiled as transformers compiles it: sandboxed, blocks trimmed."""
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


def _to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON without HTML escapes, which templates must not see."""
    return json.dumps(value, ensure_ascii=False, indent=indent)
