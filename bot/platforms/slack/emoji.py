"""Slack's names of emoji that the bot works with, and those often met; the others stay a name between colons."""

_UNICODE = {
    **{name: f"{n}\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}" for n, name in enumerate(
        "zero one two three four five six seven eight nine".split()
    )},
    "keycap_ten": "🔟",
    "incoming_envelope": "📨",
    "envelope": "✉️",
    "+1": "👍",
    "thumbsup": "👍",
    "-1": "👎",
    "thumbsdown": "👎",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "eyes": "👀",
    "pray": "🙏",
    "raised_hands": "🙌",
    "clap": "👏",
    "ok_hand": "👌",
    "wave": "👋",
    "tada": "🎉",
    "warning": "⚠️",
    "rotating_light": "🚨",
    "sos": "🆘",
    "question": "❓",
    "exclamation": "❗",
    "heart": "❤️",
    "smile": "😄",
    "slightly_smiling_face": "🙂",
    "wink": "😉",
    "thinking_face": "🤔",
    "telephone_receiver": "📞",
    "calendar": "📆",
    "date": "📅",
    "pushpin": "📌",
    "flag-fr": "🇫🇷",
    "fr": "🇫🇷",
    "flag-de": "🇩🇪",
    "de": "🇩🇪",
}  # fmt: skip


def emoji(name: str, code: str | None = None) -> str:
    """Return the emoji that Slack calls `name`; `code` holds its code points in hexadecimal, where Slack gives them."""
    bare = name.partition("::skin-tone-")[0]
    if code:
        try:
            return "".join(chr(int(point, 16)) for point in code.split("-"))
        except (ValueError, OverflowError):
            pass
    return _UNICODE.get(bare, f":{bare}:")
