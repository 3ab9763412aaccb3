"""What tests of meaning look for: the doubt that is shown, the button that is none, how much was kept."""

from sqlalchemy import func, select

from tests.stories.scene import Place, Scene, Shown

DOUBT = "Que voulez-vous faire de ce message ?"
NO_BUTTON = "Aucun bouton ne porte ce numéro"


def count(play: Scene, table: type) -> int:
    return play.app.database.run_now(lambda s: s.scalar(select(func.count()).select_from(table)) or 0)


def doubt(place: Place) -> Shown:
    return place.sees(DOUBT)
