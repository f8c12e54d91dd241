from pathlib import Path

FILES = Path(__file__).parent / "files"
TABLES = {
    "drivers": {"scanner": "tests.config.tables.scanner", "plc": "tests.config.tables.plc"},
    "sinks": {"erp": "tests.config.tables.erp"},
}
#: the least that a line needs; nine lines, so what a test adds begins on line 10
LINE = """\
lotline: 1
site: S
area: A
line: L
timezone: UTC
identity: https://id.example.com
procedures:
  p: {revision: 1, steps: {unit: {scan: serial}}}
stations: {ST1: {name: One, procedure: p}}
"""
