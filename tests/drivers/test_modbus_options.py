"""What a technician writes: what is inferred, what is refused and in which words, what a profile brings."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from drivers import modbus
from drivers.modbus.profile import Profile, names
from edge.files import shipped

REPO = Path(__file__).resolve().parents[2]
TAG = {"holding": 0, "type": "uint16"}


def options(**given: object) -> modbus.Options:
    return modbus.Options.model_validate({"host": "192.0.2.20", "tags": {"x": TAG}, **given})


def refusal(**given: object) -> str:
    with pytest.raises(ValidationError) as caught:
        options(**given)
    (error,) = caught.value.errors()
    assert error["ctx"]["zh"]
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ({}, "name exactly one of coil, discrete, input, holding (got none)"),
        ({"holding": 1, "coil": 2}, "name exactly one of coil, discrete, input, holding (got coil and holding)"),
        (
            {"holding": 1},
            "a register needs a type: one of int16, uint16, int32, uint32, int64, uint64, float32, float64, bool",
        ),
        ({"coil": 1, "type": "int16"}, "a coil is one bit: leave out type and bit"),
        ({"discrete": 1, "bit": 0}, "a discrete is one bit: leave out type and bit"),
        ({"holding": 1, "type": "bool"}, "type: bool and bit belong together: write both for one bit of a register"),
        (
            {"holding": 1, "type": "int16", "bit": 3},
            "type: bool and bit belong together: write both for one bit of a register",
        ),
        ({**TAG, "scale": 0}, "scale: 0 would make every value the same"),
    ],
)
def test_a_tag_that_cannot_be_meant_is_refused_where_it_stands(tag, said):
    assert refusal(tags={"x": tag}) == f"tags.x: {said}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tags": {}}, "no tags: name at least one, or a profile"),
        ({"host": None}, "host is missing, or port must be the path of a serial port: /dev/…"),
        ({"host": None, "port": 502}, "host is missing, or port must be the path of a serial port: /dev/…"),
        ({"port": "/dev/ttyS0"}, "with host, port is a number from 1 to 65535"),
        ({"port": 0}, "with host, port is a number from 1 to 65535"),
        (
            {"port": "/dev/ttyS0", "transport": "rtu"},
            "transport: rtu is a serial line and has no host; a serial-to-Ethernet box is rtu_over_tcp",
        ),
        ({"host": None, "port": "/dev/ttyS0", "transport": "tcp"}, "transport: tcp needs a host"),
        ({"baudrate": 9600, "parity": "even"}, "baudrate and parity belong to a serial port, not to host"),
        ({"host": None, "port": "/dev/ttyS0", "unit_id": 0}, "unit_id is 1 to 247 on RTU; 0 is a broadcast"),
        ({"one_based": True}, "tags.x: with one_based the first address is 1"),
        ({"tags": {"x": {"input": 65535, "type": "int32"}}}, "tags.x: runs past the last address, 65535"),
        (
            {"max_registers": 3, "tags": {"x": {"input": 0, "type": "float64"}}},
            "tags.x: 4 registers do not fit into max_registers: 3",
        ),
        ({"profile": "wirenboard-msv"}, "there is no profile 'wirenboard-msv'; did you mean 'wirenboard-msw'?"),
    ],
)
def test_a_device_that_cannot_be_meant_is_refused(given, said):
    assert refusal(**given) == f": {said}"


def test_the_transport_follows_from_host_or_port():
    assert options().wiring().name == "192.0.2.20:502"
    assert options().wiring().kind == "tcp"
    serial = options(host=None, port="/dev/lotline/bus-1", baudrate=19200, parity="even").wiring()
    assert (serial.kind, serial.name, serial.baudrate, serial.parity) == ("rtu", "/dev/lotline/bus-1", 19200, "even")
    assert options(port=4001, transport="rtu_over_tcp").wiring().kind == "rtu_over_tcp"


def test_the_pause_between_requests_is_three_and_a_half_characters_on_a_wire():
    def pause(**given: object) -> float:
        return options(**given).device("d").unit.pause_s

    assert pause() == 0
    assert pause(host=None, port="/dev/ttyS0", baudrate=9600) == pytest.approx(0.00401, abs=1e-5)
    assert pause(host=None, port="/dev/ttyS0", baudrate=115200) == 0.00175
    assert pause(inter_request_ms=20) == 0.02


def test_one_based_addresses_are_counted_from_one():
    device = options(one_based=True, tags={"x": {"holding": 1, "type": "int16"}, "y": {"coil": 65536}}).device("plc-1")
    assert [(p.tag.name, p.address) for p in device.points] == [("plc-1.x", 0), ("plc-1.y", 65535)]


def test_units_are_stored_as_codes_and_limits_are_reachable_for_the_cross_check():
    tag = options(tags={"force": {**TAG, "unit": "kN", "limits": {"low": 9.5, "high": 11.2}}}).tags["force"]
    assert (tag.unit, tag.limits.low, tag.limits.high) == ("B47", 9.5, 11.2)
    assert (options().tags["x"].limits.low, options().tags["x"].limits.high) == (None, None)


def test_a_tag_says_how_long_it_may_stay_untold():
    tags = options(tags={"a": {**TAG, "every_s": 0.1}, "b": {**TAG, "every_s": 0.1, "deadband": 0}}).tags
    assert (tags["a"].told_s, tags["b"].told_s) == (0.1, 10.0)


def test_devices_on_one_line_have_one_key():
    assert modbus.port_key(options()) == "192.0.2.20:502" == modbus.port_key(options(unit_id=2))
    assert modbus.port_key(options(host=None, port="/dev/ttyS0")) == "/dev/ttyS0"


def test_a_profile_brings_tags_and_line_settings_and_what_is_written_wins():
    made = modbus.Options.model_validate(
        {
            "profile": "wirenboard-msw",
            "port": "/dev/lotline/bus-1",
            "unit_id": 3,
            "baudrate": 19200,
            "tags": {"temperature": {"limits": {"low": 18, "high": 26}}, "extra": {"input": 8, "type": "uint16"}},
        }
    )
    assert (made.baudrate, made.parity, made.stopbits) == (19200, "none", 2)
    assert list(made.tags) == ["temperature", "humidity", "extra"]
    assert (made.tags["temperature"].input, made.tags["temperature"].limits.high) == (4, 26)
    assert (made.tags["temperature"].unit, made.tags["humidity"].unit) == ("CEL", "P1")


def test_behind_a_gateway_a_profile_brings_no_line_settings():
    made = modbus.Options.model_validate({"profile": "wirenboard-msw", "host": "192.0.2.9", "unit_id": 3})
    assert made.wiring().name == "192.0.2.9:502"


@pytest.mark.parametrize("name", names())
def test_every_profile_is_complete_and_makes_a_device(name):
    profile = Profile.model_validate(
        yaml.safe_load((shipped("config") / "profiles" / f"{name}.yaml").read_text("utf-8"))
    )
    assert profile.about.zh != profile.about.en
    made = modbus.Options.model_validate({"profile": name, "port": "/dev/ttyS0"})
    assert set(made.tags) == set(profile.tags)


def test_the_sample_is_a_valid_file():
    devices = yaml.safe_load((REPO / "config/samples/modbus.yaml").read_text("utf-8"))["devices"]
    for device in devices.values():
        assert device.pop("driver") == "modbus"
    made = {name: modbus.Options.model_validate(device) for name, device in devices.items()}
    assert modbus.port_key(made["climate-1"]) == modbus.port_key(made["climate-2"])
    assert made["climate-1"].wiring() == made["climate-2"].wiring()
