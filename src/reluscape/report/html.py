"""Pieces of HTML in which every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_LONG = ' class="long"'
_TEXT = ' class="text"'


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    text: Sequence[int] = (),
    chosen: int | None = None,
) -> str:
    r"""Write a table.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequences of str
    text : sequence of int
        Columns of text, set flush left; the others are numbers.
    chosen : int, optional
        The row to emphasise.

    Returns
    -------
    str

    Examples
    --------
    >>> table(["a"], [["<1"]])
    '<div class="wide"><table>\n<tr><th>a</th></tr>\n<tr><td>&lt;1</td></tr>\n</table></div>'
    """
    lines = [_row("th", headings, text)]
    for index, cells in enumerate(rows):
        lines.append(_row("td", cells, text, chosen=index == chosen))
    body = "\n".join(lines)
    return f'<div class="wide"><table>\n{body}\n</table></div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Write a list of names and values.

    Parameters
    ----------
    pairs : iterable of (str, str)

    Returns
    -------
    str
    """
    items = "\n".join(
        f"<div{_LONG if len(value) > 16 else ''}><dt>{escape(name)}</dt>"
        f"<dd>{escape(value)}</dd></div>"
        for name, value in pairs
    )
    return f"<dl>\n{items}\n</dl>"


def paragraph(text: str, kind: str = "") -> str:
    """Write a paragraph of plain text.

    Parameters
    ----------
    text : str
    kind : str, optional
        Its class in the style sheet.

    Returns
    -------
    str

    Examples
    --------
    >>> paragraph("a < b", "note")
    '<p class="note">a &lt; b</p>'
    """
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def section(heading: str, *parts: str) -> str:
    """Write a section; without content there is none.

    Parameters
    ----------
    heading : str
    *parts : str
        HTML.

    Returns
    -------
    str
    """
    content = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(heading)}</h2>\n{content}\n</section>" if content else ""


def figure(svg: str, title: str, caption: str) -> str:
    """Write a figure with its caption.

    Parameters
    ----------
    svg : str
        SVG.
    title : str
        What it shows, for who can not see it.
    caption : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(figure("<svg></svg>", "a & b", "Both."))
    <figure role="img" aria-label="a &amp; b">
    <svg></svg>
    <figcaption>Both.</figcaption></figure>
    """
    return (
        f'<figure role="img" aria-label="{escape(title)}">\n{svg}\n'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def page(title: str, style: str, body: str) -> str:
    """Write a whole page that loads nothing and runs nothing.

    Parameters
    ----------
    title : str
    style, body : str
        CSS and HTML.

    Returns
    -------
    str
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _row(tag: str, cells: Sequence[str], text: Sequence[int], *, chosen: bool = False) -> str:
    marked = "".join(
        f"<{tag}{_TEXT if i in text else ''}>{escape(c)}</{tag}>" for i, c in enumerate(cells)
    )
    return f'<tr class="chosen">{marked}</tr>' if chosen else f"<tr>{marked}</tr>"
