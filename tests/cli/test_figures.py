"""`questions figures` and `advisers`: what coordinators and the ministries count."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Run, one_line

QUESTION = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"
ASKER = ("console", "--as", "agent-57", "--room", "prefecture-57", "--new")
POST = ("console", "--as", "consul", "--room", "consulat-francfort", "--new")
COLUMNS = (
    "group value asked answered pending late cancelled minutes_to_take minutes_to_answer helped not_helped".split()
)


def test_figures_as_csv(passerelle: Run, url: str) -> None:
    passerelle(*POST, "--at", "2026-03-16T09:00")
    passerelle(*ASKER, "--at", "2026-03-16T09:00", stdin=f"{QUESTION}\n")
    passerelle(*POST, "--at", "2026-03-16T10:30", stdin="!repondre Q-2026-00001 Oui.\n")
    shown = passerelle("questions", "figures", "--from", "2026-03-01", "--to", "2026-03-31", "--csv")
    assert shown.status == 0
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert list(rows[0]) == COLUMNS
    assert {(row["group"], row["value"], row["minutes_to_answer"]) for row in rows} == {
        ("all", "", "90"),
        ("topic", "etat_civil", "90"),
        ("territory", "region-grand-est", "90"),
        ("post", "consulat-francfort", "90"),
        ("month", "2026-03", "90"),
    }
    assert "agent" not in shown.out, "no names of people"
    nothing = passerelle("questions", "figures", "--from", "2026-04-01", "--to", "2026-04-30", "--csv").out
    assert nothing.splitlines()[1] == "all,,0,0,0,0,0,,,0,0"
    assert "état" not in passerelle("questions", "figures", "--from", "2026-03-16", "--to", "2026-03-16").out
    drawn = passerelle("questions", "figures", "--from", "2026-03-16", "--png", "b.png", "--by", "post")
    assert drawn.status == 0
    assert Path("b.png").read_bytes().startswith(b"\x89PNG")
    wrong = passerelle("questions", "figures", "--from", "2026-04-01", "--to", "2026-03-01")
    assert (wrong.status, one_line(wrong.err)) == (2, "passerelle: --from is after --to")


def test_advisers_are_listed_and_reported(passerelle: Run, url: str) -> None:
    Path("people.csv").write_text("id,given_name,family_name\nadviser-a,Agent,Exemple\n")
    year = datetime.now(UTC).year
    Path("postings.csv").write_text(
        f"person,organisation,role,start\nadviser-a,region-grand-est,cdpr,{year - 1}-01-01\n"
    )
    assert passerelle("directory", "import", "people.csv", "postings.csv").status == 0
    listed = passerelle("advisers", "list")
    assert listed.status == 1, "most regions have a hole"
    [line] = [line for line in listed.out.splitlines() if line.startswith("region-grand-est")]
    assert "Agent Exemple" in line
    assert "nobody from" not in line
    assert passerelle("advisers", "report", "region-grand-est", "r.pdf").status == 0
    assert Path("r.pdf").read_bytes().startswith(b"%PDF")
    missing = passerelle("advisers", "report", "region-atlantide", "x.pdf")
    assert (missing.status, one_line(missing.err)) == (1, "passerelle: there is no region 'region-atlantide'")
    assert not Path("x.pdf").exists()
