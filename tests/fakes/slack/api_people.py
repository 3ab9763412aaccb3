"""``users.info``, ``bots.info`` and ``team.info``: who is who."""

from .core import Core
from .methods import method
from .wire import ApiError, Args, Payload
from .workspace import Account


def user_object(core: Core, account: Account) -> Payload:
    """The user object; people of other workspaces are strangers, without an address."""
    stranger = account.team != core.workspace.team
    real_name = account.real_name or account.name
    profile: Payload = {"real_name": real_name, "display_name": account.name, "team": account.team, "title": ""}
    if account.email and not stranger and "users:read.email" in core.scopes:
        profile["email"] = account.email
    made: Payload = {
        "id": account.id,
        "team_id": account.team,
        "name": account.name,
        "deleted": account.deleted,
        "real_name": real_name,
        "tz": account.tz,
        "tz_label": account.tz,
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": account.restricted,
        "is_ultra_restricted": False,
        "is_bot": bool(account.bot_id),
        "is_email_confirmed": account.email_confirmed,
        "is_app_user": False,
        "updated": 0,
    }
    return made | ({"is_stranger": True} if stranger else {})


@method("users.info", required="user", optional="include_locale", scopes="users:read", per_minute=100)
def user_info(core: Core, args: Args) -> Payload:
    """One person."""
    account = core.workspace.account(args.text("user"))
    made = user_object(core, account)
    return {"user": made | ({"locale": account.locale} if args.flag("include_locale") else {})}


@method("bots.info", optional="bot", scopes="users:read")
def bots_info(core: Core, args: Args) -> Payload:
    """One app's bot."""
    wanted = args.text("bot", core.workspace.bot.bot_id)
    found = next((each for each in core.workspace.accounts.values() if each.bot_id == wanted), None)
    if found is None:
        raise ApiError("bot_not_found")
    bot: Payload = {
        "id": found.bot_id,
        "deleted": False,
        "name": found.real_name or found.name,
        "updated": 0,
        "app_id": found.app_id,
    }
    return {"bot": bot | {"user_id": found.id, "icons": {}}}


@method("team.info", optional="team domain include_slackbot_availability", scopes="team:read")
def team_info(core: Core, args: Args) -> Payload:
    """The workspace."""
    workspace = core.workspace
    if args.text("team", workspace.team) != workspace.team:
        raise ApiError("team_not_found")
    return {
        "team": {
            "id": workspace.team,
            "name": workspace.name,
            "domain": workspace.domain,
            "email_domain": "",
            "icon": {},
        }
    }
