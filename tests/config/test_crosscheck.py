"""What only the whole file shows: names that nothing bears, things used twice, limits upside down."""

import pytest

from edge.config.mastercheck import _check_digit
from tests.config import LINE

PLC = "devices:\n  d: {driver: plc, host: h, tags: {t: {holding: 1}, u: {holding: 2, limits: {low: 1}}}}\n"


def told(mistakes, path):
    return [(problem.path, problem.say.en) for problem in mistakes(path).problems]


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("devices: {a: {driver: scanner, port: /x}, b: {driver: scanner, port: /x}}", "devices.b.port",
         "'/x' is already used by device 'a' in line.yaml:10:38; only Modbus RTU devices can share a port"),
        ("devices: {a: {driver: scanner, port: /x}, b: {driver: plc, port: /x}}", "devices.b.port",
         "'/x' is already used by device 'a' in line.yaml:10:38; only Modbus RTU devices can share a port"),
        ("devices: {a: {driver: plc, port: /x}, b: {driver: plc, port: /x}}", "devices.b.unit_id",
         "device 'a' on the same port has unit_id 1 too, in line.yaml:10:11"),
        ("devices: {a: {driver: plc, port: /x}, b: {driver: plc, port: /x, unit_id: 2, parity: even}}", "devices.b.parity",
         "device 'a' on the same port has parity none in line.yaml:10:11, this one even"),
        ("devices: {a: {driver: plc, host: h, tags: {t: {limits: {low: 2, high: 1}}}}}", "devices.a.tags.t.limits.low",
         "low 2 is above high 1"),
        ("formats: {f: {pattern: '('}}", "formats.f.pattern",
         "this regular expression does not compile: missing ), unterminated subpattern at position 0"),
        ("formats: {f: {pattern: 'x'}}", "formats.f.pattern",
         "a format needs at least one named group such as (?P<lot>…)"),
        ("formats: {f: {pattern: '(?P<bagde>x)'}}", "formats.f.pattern",
         "a group may not be called 'bagde'; did you mean 'badge'?; there are: badge, order, material, lot, serial,"
         " quantity, expiry, position, command"),
        ("destinations: {e: {sink: erp, url: u, key: plain}}", "destinations.e.key",
         "a secret stands here in plain text; write 'key: !secret a-name', its value in secrets.yaml (chmod 600)"),
        ("destinations: {e: {sink: erp, url: !secret u}}", "destinations.e.url", "no secret can stand here"),
        ("destinations: {e: {sink: erp, url: u, key: !secret ../../etc/passwd}}", "destinations.e.key",
         "!secret takes a name of 1 to 64 letters, digits, '.', '_' or '-'"),
        ("destinations: {e: {sink: erp, url: 'https://bob:canary@h'}}", "destinations.e.url",
         "a password stands in this address; give it by '!secret' in an option of its own"),
        ("masters: {materials: {M: {name: M, gtin: 09506000134351}}}", "masters.materials.M.gtin",
         "the check digit of GTIN '09506000134351' is wrong; it should end in 2"),
        ("masters: {materials: {M: {name: M, gtin: 09506000134352}, N: {name: N, gtin: 9506000134352}}}",
         "masters.materials.N.gtin", "GTIN '9506000134352' already belongs to material 'M' in line.yaml:10:42"),
        ("masters: {materials: {M: {name: M, codes: [A]}, N: {name: N, codes: [A]}}}", "masters.materials.N.codes[1]",
         "code 'A' already belongs to material 'M' in line.yaml:10:44"),
        ("masters: {people: {p: {badge: 1, name: P}, q: {badge: 1, name: Q}}}", "masters.people.q.badge",
         "badge '1' already belongs to 'p' in line.yaml:10:31"),
        ("masters: {lots: [{material: M, lot: L}, {material: M, lot: L}], materials: {M: {name: M}}}", "masters.lots[2].lot",
         "lot 'L' of this material already stands in line.yaml:10:37"),
        ("masters: {lots: [{material: M, lot: L}]}", "masters.lots[1].material", "no material 'M' in masters"),
        ("masters: {lots: [{material: M, lot: L, supplier: S}], materials: {M: {name: M}}}", "masters.lots[1].supplier",
         "no supplier 'S' in masters"),
        ("masters: {work_orders: {W: {material: PUMP, quantity: 1}}, materials: {PUMPE: {name: P}}}",
         "masters.work_orders.W.material", "no material 'PUMP' in masters; did you mean 'PUMPE'?"),
        ("masters: {bills: {M: {revision: A, needs: {N: 1}}}, materials: {M: {name: M}}}", "masters.bills.M.needs.N",
         "no material 'N' in masters"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(write, mistakes, text, where, said):
    assert told(mistakes, write(text + "\n")) == [(where, said)]


@pytest.mark.parametrize(
    ("step", "rest", "where", "said"),
    [
        ("measure: {m: {tag: d.x}}", PLC, "measure.m.tag", "device 'd' has no tag 'x' (there are: t, u)"),
        ("measure: {m: {tag: e.t}}", PLC, "measure.m.tag", "no device 'e' (there are: d)"),
        ("{measure: {m: {tag: d.u}}, while: d.tt}", PLC, "while", "device 'd' has no tag 'tt'; did you mean 't'?"),
        ("measure: {m: {tag: d.t}}", PLC, "measure.m.within",
         "'within: limits' takes the limits of d.t, which has none (line.yaml:12:36);"
         " give it some or write '{low: …, high: …}'"),
        ("measure: {m: {tag: d.t, within: {low: 2, high: 1}}}", PLC, "measure.m.within.low", "low 2 is above high 1"),
        ("role: packer", "masters: {people: {p: {badge: 1, name: P, roles: [packers]}}}\n", "role",
         "nobody in masters has the role 'packer'; did you mean 'packers'?"),
        ("{role: operator, training: weld}", "masters: {people: {p: {badge: 1, name: P}}}\n", "training",
         "nobody in masters has the training 'weld'"),
        ("{load: M, position: x}", "masters: {materials: {P: {name: P}, M: {name: M}}}\n", "per_unit",
         "this step takes by the bill, but there is no bill for 'P' (q.yaml:3:19); write one, or the amount"),
        ("{consume: M}", "masters: {materials: {P: {name: P}, M: {name: M}}, bills: {P: {revision: A, needs: {}}}}\n",
         "per_scan", "the bill of 'P' in line.yaml:11:60 does not need 'M'; write how much one unit takes"),
    ],
)  # fmt: skip
def test_a_step_that_names_what_is_not_there_is_refused(write, mistakes, step, rest, where, said):
    step = step if step.startswith("{") else "{" + step + "}"
    made = "makes: {material: P}\n" if "bill" in said else ""
    write(f"procedure: q\nrevision: 1\n{made}steps:\n  one: {step}\n", "q.yaml")
    assert told(mistakes, write("include: q.yaml\n" + rest)) == [(f"procedures.q.steps.one.{where}", said)]


def test_an_order_whose_material_has_no_bill_is_refused_where_its_procedure_takes_by_the_bill(write, mistakes):
    write("procedure: q\nrevision: 1\nsteps:\n  one: {load: M, position: x, per_unit: bill}\n", "q.yaml")
    path = write(
        "include: q.yaml\nmasters:\n  materials: {P: {name: P}, M: {name: M}}\n"
        "  work_orders: {W: {material: P, quantity: 1}, V: {material: P, quantity: 1, state: closed}}\n"
    )
    assert told(mistakes, path) == [
        (
            "masters.work_orders.W.material",
            "there is no bill for 'P', and the step in q.yaml:4:41 takes by the bill",
        )
    ]


def test_what_a_destination_pulls_is_not_missed_in_the_file(write):
    from edge.config.loader import load

    path = write("destinations: {e: {sink: puller}}\nmasters: {work_orders: {W: {material: P, quantity: 1}}}\n")
    assert load(path, drivers={}, sinks={"puller": "tests.config.tables.puller"}).site.masters.work_orders


@pytest.mark.parametrize(
    ("stations", "said"),
    [
        ("S1: {name: S, procedure: p, scanners: [a]}, S2: {name: S, procedure: p, scanners: [a]}",
         [("stations.S2.scanners[1]", "scanner 'a' already belongs to station 'S1' in line.yaml:9:51")]),
        ("S1: {name: S, procedure: p, scanners: [a, a]}",
         [("stations.S1.scanners[2]", "scanner 'a' is already listed in line.yaml:9:51")]),
        ("S1: {name: S, procedure: p, scanners: [d]}",
         [("stations.S1.scanners[1]", "device 'd' (plc) gives readings, not scans")]),
        ("S1: {name: S, procedure: p, scanners: [aa]}",
         [("stations.S1.scanners[1]", "no device 'aa'; did you mean 'a'?")]),
        ("S1: {name: S, procedure: pp}", [("stations.S1.procedure", "no procedure 'pp'; did you mean 'p'?")]),
    ],
)  # fmt: skip
def test_a_station_that_names_what_is_not_its_own_is_refused(write, mistakes, stations, said):
    text = LINE.replace("{ST1: {name: One, procedure: p}}", "{" + stations + "}")
    text += PLC + "  a: {driver: scanner, port: /x}\n"
    assert told(mistakes, write(text, bare=True)) == said


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("unit: {scan: serial}, done: {event: assembling}, late: {consume: M, per_scan: 1}, close: {close: order}",
         [("late", "step 'late' stands after 'done', which completes the unit in line.yaml:8:50; put it before")]),
        ("done: {event: assembling}, again: {event: packing}", [("again", "'done' in line.yaml:8:28 already completes the unit")]),
    ],
)  # fmt: skip
def test_nothing_of_a_unit_stands_after_the_step_that_completes_it(write, mistakes, steps, said):
    text = LINE.replace("{unit: {scan: serial}}", "{" + steps + "}") + "masters: {materials: {M: {name: M}}}\n"
    assert told(mistakes, write(text, bare=True)) == [(f"procedures.p.steps.{step}", words) for step, words in said]


def test_steps_in_any_order_have_to_be_there(write, mistakes):
    text = LINE.replace("{unit: {scan: serial}}", "{unit: {scan: serial}}, order: {any: [unti, gone]}")
    assert told(mistakes, write(text, bare=True)) == [
        ("procedures.p.order.any[1]", "no step 'unti' in this procedure; did you mean 'unit'?"),
        ("procedures.p.order.any[2]", "no step 'gone' in this procedure (there are: unit)"),
    ]


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Asia/Shangai", "there is no time zone 'Asia/Shangai'; did you mean 'Asia/Shanghai'?"),
        ("Shanghai", "there is no time zone 'Shanghai'; did you mean 'Asia/Shanghai'?"),
        ("Asia", "there is no time zone 'Asia'"),
        ("../UTC", "there is no time zone '../UTC'"),
        ("Nowhere/AtAll", "there is no time zone 'Nowhere/AtAll'"),
    ],
)
def test_a_time_zone_has_to_exist(write, mistakes, zone, said):
    path = write(LINE.replace("timezone: UTC", f"timezone: {zone}"), bare=True)
    assert [words.split(";")[0] for _, words in told(mistakes, path)] == [said.split(";")[0]]
    if ";" in said:
        assert told(mistakes, path)[0][1] == said


def test_devices_that_are_modbus_rtu_may_share_a_port(write, loaded):
    path = write("devices: {a: {driver: plc, port: /x}, b: {driver: plc, port: /x, unit_id: 2}}\n")
    assert [options.unit_id for _, options in loaded(path).devices.values()] == [1, 2]


def test_both_places_are_shown_where_two_are_involved(write, mistakes):
    path = write("devices:\n  a: {driver: scanner, port: /x}\n  b: {driver: scanner, port: /x}\n")
    assert mistakes(path).problems[0].snippet == (
        "    12 |   b: {driver: scanner, port: /x}\n       |                              ^\n"
        "    11 |   a: {driver: scanner, port: /x}\n       |                              ^"
    )


@pytest.mark.parametrize("gtin", ["09506000134352", "9506000134352", "96385074", "036000291452", "4006381333931"])
def test_check_digits_are_those_of_gs1(gtin):
    assert _check_digit(gtin[:-1]) == gtin[-1]


def test_a_listening_device_and_the_page_need_ports_of_their_own(write, mistakes):
    from edge.config.loader import load
    from edge.config.problem import Mistakes

    tables = {"drivers": {"door": "tests.config.tables.door"}, "sinks": {}}
    for text, said in (
        ("devices: {a: {driver: door, port: 8080}}\n",
         "the page is served on port 8080 too; give it another one: 'web: {port: …}'"),
        ("devices: {a: {driver: door, port: 90}}\nweb: {port: 90}\n",
         "the page is served on port 90 too, see line.yaml:11:13"),
    ):  # fmt: skip
        with pytest.raises(Mistakes) as caught:
            load(write(text), label="line.yaml", **tables)
        assert [problem.say.en for problem in caught.value.problems] == [said]
