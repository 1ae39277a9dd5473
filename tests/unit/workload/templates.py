"""Chat templates of published models, shortened, and what each makes of one user message."""

from __future__ import annotations

QUESTION = 'Why is <b>the sky</b> blue & "deep"?\n  Ünïcode 日本'

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

# Qwen 2.5: a system prompt of its own, tools, whitespace control.
QWEN = """\
{%- if tools %}
    {{- '<|im_start|>system\\nTools: ' }}
    {%- for tool in tools %}
        {{- tool | tojson }}
    {%- endfor %}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

# Llama 2: namespaces, slices, an index, `raise_exception`, and both special tokens.
LLAMA_2 = """\
{% if messages[0]['role'] == 'system' %}
    {% set loop_messages = messages[1:] %}
    {% set system_message = messages[0]['content'] %}
{% else %}
    {% set loop_messages = messages %}
    {% set system_message = false %}
{% endif %}
{% for message in loop_messages %}
    {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{ raise_exception('Conversation roles must alternate user/assistant') }}
    {% endif %}
    {% if loop.index0 == 0 and system_message != false %}
        {% set content = '<<SYS>>' + system_message + '<</SYS>>' + message['content'] %}
    {% else %}
        {% set content = message['content'] %}
    {% endif %}
    {% if message['role'] == 'user' %}
        {{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
    {% elif message['role'] == 'assistant' %}
        {{ ' ' + content.strip() + ' ' + eos_token }}
    {% endif %}
{% endfor %}
"""

# Llama 3: a year of the clock, a filter, macros.
LLAMA_3 = """\
{%- macro head(role) %}{{ '<|start_header_id|>' ~ role ~ '<|end_header_id|>\\n\\n' }}{% endmacro -%}
{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%Y") %}
{%- endif %}
{{- head('system') + 'Year: ' + date_string + '<|eot_id|>' }}
{%- for message in messages %}
    {{- head(message.role) + message.content | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- head('assistant') }}
{%- endif %}
"""

# Of no model: loop controls, and JSON that keeps <, & and non-ASCII text as they are.
CONTROLS = """\
{%- for message in messages %}
    {%- if message.role != 'user' %}{% continue %}{% endif %}
    {{- message | tojson }}{{ [1, 'ä'] | tojson(indent=2) }}
    {%- break %}
{%- endfor %}
"""

# Of no model: variables that are always there, and options of the filter.
OPTIONS = """\
{{- 'no tools' if tools is none }}{{ ', no documents' if documents is defined and not documents }}
{{ {'b': 1, 'a': ['ä', 2]} | tojson(separators=(',', ':'), sort_keys=true) }}
{{ 'ä' | tojson(ensure_ascii=true) }}"""

# Trimmed: the newline after a block, and blanks before one.
TRIMMED = """\
  {% for message in messages %}
    {{ message.content }}
  {% endfor %}
end
"""

TEMPLATES = {
    "chatml": (
        CHATML,
        f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n",
    ),
    "qwen": (
        QWEN,
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n",
    ),
    # Only {% %} lines are trimmed; those of {{ }} keep their blanks and newline.
    "llama-2": (LLAMA_2, f"        <s>[INST] {QUESTION} [/INST]\n"),
    "llama-3": (
        LLAMA_3,
        "<s><|start_header_id|>system<|end_header_id|>\n\nYear: {year}<|eot_id|>"
        f"<|start_header_id|>user<|end_header_id|>\n\n{QUESTION}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "controls": (
        CONTROLS,
        '{"role": "user", "content": "Why is <b>the sky</b> blue & \\"deep\\"?\\n  Ünïcode 日本"}'
        '[\n  1,\n  "ä"\n]',
    ),
    "options": (OPTIONS, 'no tools, no documents\n{"a":["ä",2],"b":1}\n"\\u00e4"'),
    "trimmed": (TRIMMED, f"    {QUESTION}\nend"),
}
"""A template, and its text for the question by hand; ``{year}`` stands for this year."""
