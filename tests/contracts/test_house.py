"""Promises of the whole house that no single room can keep."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from bot.app import build
from bot.connections import connect
from bot.opening import open_database
from config.settings import Settings
settings = Settings.model_validate({settings!r})
database = open_database(settings.database_url)
app = build(settings, database)
connect(app)
print(sorted({{"slack_bolt", "slack_sdk", "nio", "vodozemac", "numpy", "rapidfuzz", "holidays", "PIL"}} & {{*sys.modules}}))
database.close()
"""

SLACK = {"bot_token": "xoxb-1", "app_token": "xapp-1"}
MATRIX = {"homeserver": "http://127.0.0.1:9", "user_id": "@bot:example.org", "password": "p", "store_key": "k"}


@pytest.mark.parametrize(
    ("sections", "imported"),
    [
        ({}, []),
        ({"slack": SLACK}, ["slack_sdk"]),
        ({"matrix": MATRIX}, []),
    ],
)
def test_what_is_not_configured_or_not_needed_to_say_something_is_not_imported(
    sections: dict[str, object], imported: list[str], tmp_path: object
) -> None:
    settings = {"database_url": f"sqlite:///{tmp_path}/a.db", "data_dir": str(tmp_path), **sections}
    program = PROGRAM.format(settings=settings)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(imported), done.stderr
