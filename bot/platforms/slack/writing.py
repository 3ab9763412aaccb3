"""Markdown to Slack's rich text: exact, since text in it is only ever text.

Slack's older mrkdwn has no way to write a literal `*` or `_`, and turns `<!channel>` into a call to everybody; a rich
text element of type `text` shows what it holds and nothing else.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from markdown_it.tree import SyntaxTreeNode

from bot.platforms.slack.markdown import clean, tree

Element: TypeAlias = dict[str, Any]

_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
_RULE = "———"
_DEEPEST = 8


def elements(text: str) -> list[Element]:
    """Return Markdown as sections, lists, quotes and code of a rich text block."""
    return _blocks(tree(clean(text)).children)


def section(runs: list[Element]) -> Element:
    """Return runs of text as one section."""
    return {"type": "rich_text_section", "elements": runs}


def quote(text: str) -> list[Element]:
    """Return Markdown as somebody's own words, set apart; a quote holds no lists, so these become lines."""
    runs = joined(_flat(e) for e in elements(text))
    return [{"type": "rich_text_quote", "elements": runs}] if runs else []


def runs_of(text: str, style: str | None = None) -> list[Element]:
    """Return Markdown as runs inside one line or section, all of them in `style`."""
    runs = joined(_flat(e) for e in elements(text))
    return runs if style is None else [_styled(run, style) for run in runs]


def shown(found: Iterable[Element]) -> str:
    """Return what a person reads."""
    return "\n".join(_words(_flat(e)) for e in found)


def plain(text: str) -> str:
    """Return Markdown as the plain text it shows."""
    return shown(elements(text))


def joined(parts: Iterable[list[Element]]) -> list[Element]:
    """Join runs with a line break between them."""
    out: list[Element] = []
    for part in parts:
        if part:
            out += [_text("\n"), *part] if out else part
    return _merged(out)


def _blocks(nodes: Iterable[SyntaxTreeNode]) -> list[Element]:
    """Write blocks, paragraphs that follow one another as one section with an empty line between."""
    found: list[Element] = []
    for element in (e for node in nodes for e in _block(node) if _words(_flat(e)).strip()):
        if found and found[-1]["type"] == element["type"] == "rich_text_section":
            found[-1] = section(_merged([*found[-1]["elements"], _text("\n\n"), *element["elements"]]))
        else:
            found.append(element)
    return found


def _block(node: SyntaxTreeNode) -> Iterator[Element]:
    match node.type:
        case "paragraph":
            yield section(_inline(node.children[0]))
        case "heading":
            yield section([_styled(run, "bold") for run in _inline(node.children[0])])
        case "bullet_list" | "ordered_list":
            yield from _list(node, 0)
        case "blockquote":
            yield {"type": "rich_text_quote", "elements": joined(_flat(e) for e in _blocks(node.children))}
        case "fence" | "code_block":
            code = node.content.rstrip("\n")
            yield {"type": "rich_text_preformatted", "elements": [_text(code)] if code.strip() else []}
        case "hr":
            yield section([_text(_RULE)])
        case _:
            return


def _list(node: SyntaxTreeNode, depth: int) -> Iterator[Element]:
    """Yield a list and those inside it; Slack nests by indentation, so an inner one cuts the outer in two."""
    ordered = node.type == "ordered_list"
    number = int(node.attrs.get("start", 1))
    items: list[Element] = []

    def so_far() -> Element:
        made: Element = {"type": "rich_text_list", "style": "ordered" if ordered else "bullet", "elements": list(items)}
        made["indent"] = min(depth, _DEEPEST)
        if ordered and number - len(items) > 1:
            made["offset"] = min(number - len(items) - 1, 10_000)
        return made

    for item in node.children:
        own: list[Element] = []
        inner: list[Element] = []
        for child in item.children:
            nested = child.type in {"bullet_list", "ordered_list"}
            (inner if nested else own).extend(_list(child, depth + 1) if nested else _block(child))
        if runs := joined(_flat(e) for e in own):
            items.append(section(runs))
        number += 1
        if inner:
            if items:
                yield so_far()
            items.clear()
            yield from inner
    if items:
        yield so_far()


def _inline(node: SyntaxTreeNode, *styles: str) -> list[Element]:
    runs: list[Element] = []
    for child in node.children:
        match child.type:
            case "text" | "code_inline":
                kind = ("code",) if child.type == "code_inline" else ()
                runs.append(_text(child.content, *styles, *kind))
            case "softbreak" | "hardbreak":
                runs.append(_text("\n", *styles))
            case "link" | "image":
                runs += _link(child, styles)
            case kind if kind in _STYLES:
                runs += _inline(child, *styles, _STYLES[kind])
            case _:
                runs.append(_text(child.content, *styles))
    return _merged(runs)


def _link(node: SyntaxTreeNode, styles: tuple[str, ...]) -> list[Element]:
    url = str(node.attrs.get("href") or node.attrs.get("src") or "")
    label = node.content if node.type == "image" else _words(_inline(node))
    run: Element = {"type": "link", "url": url}
    if label.strip() and label != url:
        run["text"] = label[:3000]
    if styles:
        run["style"] = dict.fromkeys(styles, True)
    return [run]


def _text(text: str, *styles: str) -> Element:
    run: Element = {"type": "text", "text": text}
    if styles:
        run["style"] = dict.fromkeys(styles, True)
    return run


def _styled(run: Element, style: str) -> Element:
    return {**run, "style": {**run.get("style", {}), style: True}}


def _merged(runs: list[Element]) -> list[Element]:
    """Drop empty runs and join neighbours of one style."""
    out: list[Element] = []
    for run in runs:
        if run["type"] == "text":
            if not run["text"]:
                continue
            if out and out[-1]["type"] == "text" and out[-1].get("style") == run.get("style"):
                out[-1] = {**out[-1], "text": out[-1]["text"] + run["text"]}
                continue
        out.append(run)
    return _without_blanks(out)


def _without_blanks(runs: list[Element]) -> list[Element]:
    """Give blanks between two styles or links to a neighbour: Slack may refuse a text of nothing else."""
    out: list[Element] = []
    pending = ""
    for at, run in enumerate(runs):
        following = runs[at + 1] if at + 1 < len(runs) else None
        if run["type"] == "text" and not run["text"].strip() and (out or following):
            to_the_left = out and (following is None or _likes_blanks(out[-1]) or not _likes_blanks(following))
            if to_the_left and not pending:
                out[-1] = {**out[-1], "text": _word(out[-1]) + run["text"]}
            else:
                pending += run["text"]
            continue
        out.append({**run, "text": pending + _word(run)} if pending else run)
        pending = ""
    return out


def _likes_blanks(run: Element) -> bool:
    return run["type"] == "text" and not {"code", "strike"} & run.get("style", {}).keys()


def _flat(element: Element) -> list[Element]:
    """Return a block's runs; items of a list get their mark written out."""
    if element["type"] != "rich_text_list":
        return element["elements"]
    first = element.get("offset", 0) + 1
    items: list[list[Element]] = []
    for number, item in enumerate(element["elements"], first):
        mark = f"{number}. " if element["style"] == "ordered" else "• "
        items.append([_text("  " * element.get("indent", 0) + mark), *item["elements"]])
    return joined(items)


def _words(runs: list[Element]) -> str:
    return "".join(_word(run) for run in runs)


def _word(run: Element) -> str:
    return run.get("text") or run.get("url", "")
