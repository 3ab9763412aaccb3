import asyncio, pytest
from bot.message import User
from tests.platforms.matrix.conftest import House
from tests.servers.strict_client import StrictClients

@pytest.mark.parametrize("n", range(30))
async def test_x(house: House, strict: StrictClients, n) -> None:
    bot = await house.bot()
    agent = await strict.newcomer(house.homeserver)
    await bot.say("!anywhere", "pour vous seul", audience=User("matrix", agent.user_id))
    direct = bot.memory.values[f"direct:{agent.user_id}"]
    m = bot.platform._connected.machine
    s = m.outbound_group_sessions[direct]
    print("SHARED", s.users_shared_with, s.id, [ (d.id, d.trust_state) for d in m.devices_of(agent.user_id)])
    await agent.join(direct)
    try:
        await agent.expect(direct, "pour vous seul", timeout=6)
    except AssertionError as err:
        print("ERR", err)
        print("RAW", [(e.get("content",{}).get("session_id")) for e in (await bot.platform._home.get("rooms", direct, "messages", query={"dir":"b"}))["chunk"]])
        ev = (await agent.events(direct))
        for e in ev: print("EV", e.failure, e.content if e.failure else "")
        await agent.retry(direct)
        await asyncio.sleep(1)
        for e in (await agent.events(direct)): print("EV2", e.failure, e.body)
        raise
