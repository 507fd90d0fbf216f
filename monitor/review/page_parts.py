"""The small parts of the report: links into the transcript, panels, tables."""

from collections.abc import Iterable, Sequence

from monitor.review.notes import clock_text


def time_link(at: float) -> str:
    """A moment of the call, as a link into the transcript."""
    return f'<a class="num" href="#t-{int(at)}">{clock_text(at)}</a>'


def panel(name: str, title: str, body: str) -> str:
    """A boxed section with its heading."""
    return f'<section class="panel" aria-labelledby="{name}"><h2 id="{name}">{title}</h2>{body}</section>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], none: str = "") -> str:
    """A table of cells that are HTML already, or a sentence where there are no rows."""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return f'<p class="sub">{none}</p>'
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
