"""Modbus: TCP, RTU on a serial line, RTU over TCP. A tag is a row in YAML; a sensor is a profile, not a driver.

==================  ====================================================================================================
promise             how it is held
==================  ====================================================================================================
no wrong value      unit, function, count and transaction of every answer checked; the RTU late-answer defence of
                    drivers/modbus/link.py; NaN and error patterns left out (drivers/modbus/bus.py)
raw first           frames carry the registers' numbers; scale, offset and unit describe them and change nothing
few requests        tags close together are read at once, never cutting a value; devices that refuse holes are learned
silent device       two failed polls: the session ends; on a bus a notice, and the others keep their rate
deadlines           on connecting, and on every request; release within a second
blocking calls      opening and closing a serial port, in the line's own thread
not tested          parity errors and real line timing: a pseudo terminal has neither
==================  ====================================================================================================

Rooms: ``plan`` (which requests), ``bus`` (who is asked when), ``link`` (one question, one answer), ``wire`` (bytes), ``profile``.
"""

from drivers.modbus.driver import Options, build, build_bus, port_key

__all__ = ["Options", "build", "build_bus", "port_key"]
