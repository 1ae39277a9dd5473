"""Questions about what is installed: frozen answers here, their rendering apart.

Each question is a function of a registry and returns dataclasses; `listing` turns an answer into
a table, and `render_text`, `render_markdown` and `render_json` print one.
"""
