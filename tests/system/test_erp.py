"""An ERP that is down, overloaded, forgetful or wrong: every event takes effect once, and the words say how it stands."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from edge.simulate.erp import ErpSimulator, Fault
from tests.system.rig import (
    BADGE,
    KEY,
    Daemon,
    Person,
    bearing,
    document,
    events,
    eventually,
    pump,
    running,
    shaft,
    to_http,
    write,
)

START = (BADGE, "WO-1001", bearing("L77"))


def expected(state: Path) -> Counter[str]:
    """Every event of the log, once."""
    return Counter({event["eventID"]: 1 for event in events(state)})


async def says(daemon: Daemon, *words: str) -> str:
    """The destination's sentence, once it has all of ``words``."""

    async def now() -> str:
        said: str = (await daemon.sync())["say"]["en"]
        return said if all(word in said for word in words) else ""

    return await eventually(now, f"delivery says {words}")


async def test_erp_that_is_down_at_boot_gets_everything_once_it_is_up(tmp_path: Path, person: Person) -> None:
    erp = ErpSimulator(key=KEY)
    async with erp:
        pass  # the port is known, nobody listens
    line = document(tmp_path, destinations=to_http(erp.url))
    async with running(write(tmp_path, line), tmp_path / "state") as daemon:
        await person.good(*START, shaft("S1"), pump("SN1"))
        await says(daemon, "erp does not take records", f"127.0.0.1:{erp.port} cannot be reached", "3 waiting, oldest ")
        (shown,) = (await daemon.view())["sync"]
        assert (shown["state"], shown["waiting"], shown["parked"]) == ("waiting", 3, 0)
        async with erp:
            assert (await daemon.delivered(60))["delivered"] == 3
            await says(daemon, "nothing waiting", "last receipt ")
            assert erp.effect_count == expected(daemon.state)
            assert await daemon.stop() == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.ERROR_500, ("answered 500: ", "the database is locked")),
        (Fault.TOO_MANY, ("answered 429",)),
        (Fault.LOST_ANSWER, ("cannot be reached",)),
        (Fault.SLOW, ("No answer within 1 s.",)),
        (Fault.ERROR_IN_200, ("did not say what became of the records", "UserError: the period is closed")),
        (Fault.NO_JSON, ("did not say what became of the records",)),
        (Fault.MISSING_IDS, ("did not say what became of the records",)),
    ],
    ids=str,
)
async def test_every_fault_ends_in_one_effect_per_event(
    tmp_path: Path, person: Person, fault: Fault, words: tuple[str, ...]
) -> None:
    async with ErpSimulator(key=KEY) as erp:
        line = document(tmp_path, destinations=to_http(erp.url, timeout_s=1))
        erp.slow_s = 3.0  # longer than anybody waits for it
        async with running(write(tmp_path, line), tmp_path / "state") as daemon:
            await person.good(*START)
            await daemon.delivered()
            erp.retry_after = "2"
            erp.fail(fault, 100)
            await person.good(shaft("S1"), pump("SN1"))
            await says(daemon, "erp does not take records: ", *words)
            await person.good(shaft("S2"), pump("SN2"))  # the line does not care
            erp.heal()
            courier = await daemon.delivered(60)
            assert (courier["delivered"], courier["parked"], courier["gathered"]) == (5, 0, 0)
            assert erp.effect_count == expected(daemon.state)
            assert erp.effects().disorder == 0
            assert await daemon.stop() == 0


async def test_what_the_erp_refuses_is_parked_exported_and_retried(tmp_path: Path, person: Person) -> None:
    async with ErpSimulator(key=KEY) as erp:
        line = document(tmp_path, destinations=to_http(erp.url))
        async with running(write(tmp_path, line), tmp_path / "state") as daemon:
            await person.good(*START, shaft("S1"), pump("SN1"))
            await daemon.delivered()  # load L77, make and join SN1
            assert daemon.verb("sync", "parked").stdout == "Nothing is parked.\n"
            erp.refuse("/21/SN2", "UserError: serial SN2 is not planned")
            await person.good(shaft("S2"), pump("SN2"), shaft("S3"), pump("SN3"))
            await says(daemon, "1 parked, erp said “UserError: serial SN2 is not planned” (lotline sync parked)")
            parked = json.loads(daemon.verb("sync", "parked", "--json").stdout)
            assert [(row["destination"], row["reason"]) for row in parked] == [
                ("erp", "UserError: serial SN2 is not planned")
            ]
            name = parked[0]["id"]
            bound = {event["eventID"]: event for event in events(daemon.state)}
            assert bound[name]["lotline:act"] == "make"
            await person.good(bearing("L78"), shaft("S4"), pump("SN4"))
            await eventually(lambda: _waiting(daemon, 3), "what is about other items passes")
            waiting = {bound["eventID"] for bound in events(daemon.state)} - erp.effect_count.keys() - {name}
            about = [
                item["id"]
                for event in events(daemon.state)
                if event["eventID"] in waiting
                for item in event["lotline:items"]
            ]
            assert not [item for item in about if item.endswith(("/10/L78", "/21/SN4"))]
            bound = {event["eventID"]: event for event in events(daemon.state)}
            exported = daemon.verb("sync", "export", name)
            assert (exported.returncode, json.loads(exported.stdout)) == (0, bound[name])
            wrong = daemon.verb("sync", "retry", "urn:uuid:nothing")
            assert wrong.returncode == 1
            assert wrong.stderr.startswith("lotline sync: no destination has parked a record 'urn:uuid:nothing'.")
            daemon.kill()  # what is parked is parked after a restart too
            daemon.start()
            await daemon.ready()
            assert json.loads(daemon.verb("sync", "parked", "--json").stdout) == parked
            erp.allow("/21/SN2")
            assert daemon.verb("sync", "retry", name).stdout == f"{name} is offered to erp again.\n"
            courier = await eventually(lambda: _settled(daemon), "everything is delivered")
            assert courier["delivered"] == len(bound) == 10
            assert erp.effect_count == expected(daemon.state)
            assert erp.effects().disorder == 0
            assert await daemon.stop() == 0


async def _waiting(daemon: Daemon, count: int) -> bool:
    return (await daemon.sync())["waiting"] == count


async def _settled(daemon: Daemon) -> dict | None:
    courier = await daemon.sync()
    return courier if not courier["waiting"] and not courier["parked"] else None
