"""What people write, as Markdown: nothing of it is obeyed that we did not write ourselves."""

import re
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.card import Card, Paragraph
from bot.platforms.matrix import drawing, plain, reading

_ALLOWED = {*("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr")} | {
    f"h{level}" for level in range(1, 7)
}
_TAGS = ["b", "i", "em", "p", "div", "a", "ul", "ol", "li", "pre", "code", "blockquote", "script", "img", "table", "br"]


class Found(HTMLParser):
    """The tags of some HTML with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(markdown: str) -> Found:
    return Found(drawing.drawn(Card(blocks=(Paragraph(markdown),))))


_hostile = st.recursive(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(["<", ">", "&lt;script&gt;", "*", "_", "[x](javascript:alert(1))", "```", "\n", "&#60;b&#62;"]),
    ),
    lambda inner: st.builds(
        lambda tag, attribute, parts, close: f"<{tag} {attribute}>{''.join(parts)}" + (f"</{tag}>" if close else ""),
        st.sampled_from(_TAGS),
        st.sampled_from(["", "href='javascript:x'", "onclick=x", "href='https://a.b/)<i>'", "style=x", 'alt="<b>"']),
        st.lists(inner, max_size=4),
        st.booleans(),
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(_hostile)
def test_hostile_html_gives_no_html_of_its_own(html: str) -> None:
    found = shown(reading.to_markdown(html))
    for tag, attributes in found.tags:
        assert tag in _ALLOWED
        assert set(attributes) <= {"href", "start"}
        assert re.match("(https?|mailto):", attributes.get("href") or "https:")


@settings(deadline=None)
@given(st.text())
def test_hostile_text_gives_no_html_at_all(text: str) -> None:
    found = shown(plain.to_markdown(text))
    assert {tag for tag, _ in found.tags} <= {"p", "br"}


def lines_of(text: str) -> list[str]:
    return [stripped for line in plain.clean(text).split("\n") if (stripped := line.strip())]


@settings(deadline=None)
@given(st.text() | st.text(alphabet="ab *_#-+>=`~[]()<>&!|\\\n1.;:", max_size=60))
def test_plain_text_comes_back_unchanged(text: str) -> None:
    assert lines_of(drawing.to_plain(plain.to_markdown(text))) == lines_of(text)


@settings(deadline=None)
@given(st.text() | st.text(alphabet="ab *_#-+>=`~[]()&!|\\1.;:", max_size=60))
def test_text_in_html_comes_back_unchanged(text: str) -> None:
    back = drawing.to_plain(reading.to_markdown(f"<p>{escape(text)}</p>"))
    assert back.split() == plain.clean(text).split()


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("Bonjour <b>à tous </b>!", "Bonjour **à tous** !"),
        ("<p>un</p><p>deux<br>trois</p>", "un\n\ndeux  \ntrois"),
        ("<em>a</em> <del>b</del> <code>c*d</code>", "*a* ~~b~~ `c*d`"),
        ("<h2>Titre</h2>texte", "**Titre**\n\ntexte"),
        ("<ul><li>a</li><li>b<ol start=3><li>c</li></ol></li></ul>", "- a\n- b\n  3. c"),
        ("<blockquote><p>dit</p></blockquote>répond", "> dit\n\nrépond"),
        ("<pre><code>if a &lt; b:\n  pass</code></pre>", "```\nif a < b:\n  pass\n```"),
        ("<pre>```</pre>", "````\n```\n````"),
        ('<a href="https://a.fr/x_y?z=(1)">ici</a>', "[ici](https://a.fr/x%5Fy?z=%281%29)"),
        ('<a href="javascript:alert(1)">ici</a>', "ici"),
        ('<a href="https://matrix.to/#/@claire:a.fr">Claire</a> sait', "Claire sait"),
        ("<mx-reply><blockquote>avant</blockquote></mx-reply>après", "après"),
        ('<img src="mxc://a/b" alt=":chat:">', ":chat:"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a · b\n\nc"),
        ("<span data-mx-spoiler>x</span><font color=red>y</font>", "xy"),
        ("<script>alert(1)</script><style>p{}</style>reste", "reste"),
        ("1. non", r"1\. non"),
    ],
)
def test_what_means_something_in_a_chat_is_kept(html: str, markdown: str) -> None:
    assert reading.to_markdown(html) == markdown


def test_addresses_stay_readable() -> None:
    assert plain.to_markdown("https://a.fr/x_y.ics?a=1&b=2") == "https://a.fr/x_y.ics?a=1&b=2"


def test_a_thousand_nested_tags_cost_nothing() -> None:
    assert reading.to_markdown("<div>" * 5000 + "fond" + "</div>" * 5000) == "fond"
    assert reading.to_markdown("<b>" * 5000 + "fond").strip("*") == "fond"
