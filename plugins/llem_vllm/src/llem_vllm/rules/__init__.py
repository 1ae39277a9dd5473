"""Combinations vLLM refuses or silently changes, each with its reason and the way out.

What one field alone decides stands in its type, and what one field needs of another in its marker;
here is the rest.
"""

from __future__ import annotations

from llem_vllm.rules.compilation import COMPILATION_RULES
from llem_vllm.rules.decoding import DECODING_RULES
from llem_vllm.rules.loading import LOADING_RULES
from llem_vllm.rules.parallelism import PARALLELISM_RULES
from llem_vllm.rules.scheduling import SCHEDULING_RULES
from llem_vllm.rules.speculation import SPECULATION_RULES

RULES = (
    *SCHEDULING_RULES,
    *COMPILATION_RULES,
    *PARALLELISM_RULES,
    *SPECULATION_RULES,
    *DECODING_RULES,
    *LOADING_RULES,
)
"""Every rule of the backend."""
