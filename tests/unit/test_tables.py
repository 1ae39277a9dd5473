"""How tables are written as text and as Markdown."""

from llem.tables import Cell, Table, escape_markdown, render_markdown, render_text


def test_cells_cannot_break_a_table():
    table = Table(("a|b",), ((Cell("x|y\nz", note="n|\nm"),),))
    assert render_markdown(table).splitlines() == [
        r"| a\|b |",
        "| --- |",
        r"| x\|y z[^1] |",
        "",
        r"[^1]: n\| m",
    ]
    assert render_text(table).splitlines()[2] == "x|y z (1)"


def test_literal_cells_have_no_effect_as_markdown():
    table = Table.of_texts(("*n*",), [("<b>`x`</b> | [y](z)",)])
    assert render_markdown(table, literal=True).splitlines() == [
        r"| \*n\* |",
        "| --- |",
        r"| &lt;b&gt;\`x\`&lt;/b&gt; \| \[y\](z) |",
    ]
    assert "<b>`x`</b>" in render_markdown(table)
    assert escape_markdown("a\\b\n_c_ & d") == r"a\\b \_c\_ &amp; d"


def test_numbers_stand_under_each_other():
    table = Table.of_texts(("n", "name"), [("1", "x"), ("2,000", "x")])
    assert render_text(table).splitlines() == [
        "    n  name",
        "-----  ----",
        "    1  x",
        "2,000  x",
    ]


def test_a_note_that_two_cells_share_stands_below_once():
    table = Table(
        ("a", "b"), ((Cell("1", "same"), Cell("2", "other")), (Cell("3", "same"), Cell("4")))
    )
    assert table.notes == ("same", "other")
    assert render_text(table).splitlines() == [
        "a      b",
        "-----  -----",
        "1 (1)  2 (2)",
        "3 (1)  4",
        "",
        "(1) same",
        "(2) other",
    ]
