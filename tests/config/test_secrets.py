"""Secrets: named in the file, kept outside of it, never printed."""

import os

import pytest

from edge.config.dump import to_yaml
from edge.config.secrets import SecretName, secret_from
from edge.errors import SecretMissing

CANARY = "canary-7f3a"


def secrets_file(folder, text, mode=0o600):
    path = folder / "secrets.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_credential_wins_over_the_file_and_the_file_over_the_environment(tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "LOTLINE_SECRET_ERP_KEY": "environment"}
    secret = secret_from([tmp_path], environ)
    assert secret("erp-key") == "environment"
    secrets_file(tmp_path, "erp-key: file\n")
    assert secret("erp-key") == "file"
    (credentials / "erp-key").write_bytes(b"credential\n")
    assert secret("erp-key") == "credential"


def test_the_folder_of_the_file_comes_before_the_state_directory(tmp_path):
    for name in ("line", "state"):
        (tmp_path / name).mkdir()
        secrets_file(tmp_path / name, f"erp-key: {name}\nonly-{name}: {name}\n")
    secret = secret_from([tmp_path / "line", tmp_path / "state"], {})
    assert (secret("erp-key"), secret("only-state")) == ("line", "state")


@pytest.mark.parametrize("value", ["0123", "yes", "' #x '", '"压装"', "a b"])
def test_a_value_is_taken_as_it_is_written(tmp_path, value):
    secrets_file(tmp_path, f"k: {value}\n")
    assert secret_from([tmp_path], {})("k") == value.strip("'\"")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_file_that_others_can_read_is_refused_with_the_command_to_run(tmp_path, mode):
    path = secrets_file(tmp_path, f"erp-key: {CANARY}\n", mode)
    with pytest.raises(SecretMissing) as caught:
        secret_from([tmp_path], {"LOTLINE_SECRET_ERP_KEY": "x"})("erp-key")
    assert str(caught.value) == f"{path} can be read by others, so it is not used. Run: chmod 600 {path}"
    assert caught.value.say.zh == f"{path} 可被其他用户读取，因此不使用。请执行：chmod 600 {path}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_another_user_is_refused(tmp_path):
    path = secrets_file(tmp_path, f"erp-key: {CANARY}\n")
    os.chown(path, 4242, -1)
    with pytest.raises(SecretMissing, match="belongs to another user"):
        secret_from([tmp_path], {})("erp-key")


def test_a_secret_without_a_value_says_where_it_may_be_put(tmp_path):
    with pytest.raises(SecretMissing) as caught:
        secret_from([tmp_path], {})("erp-key")
    assert str(caught.value) == (
        "secret 'erp-key' has no value. Give it as the systemd credential 'erp-key', "
        f"as a line in {tmp_path}/secrets.yaml (chmod 600), or as LOTLINE_SECRET_ERP_KEY."
    )


@pytest.mark.parametrize("text", [f"{CANARY}", f"- {CANARY}", f"k: [{CANARY}]", f"k: '{CANARY}", f"k: {{a: {CANARY}}}"])
def test_a_file_of_secrets_that_cannot_be_read_shows_none_of_them(tmp_path, text):
    secrets_file(tmp_path, text)
    with pytest.raises(SecretMissing) as caught:
        secret_from([tmp_path], {})("k")
    assert "has to consist of 'name: value' lines" in str(caught.value)
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("name", ["../x", "", "a/b", "a b", "x" * 65])
def test_a_name_never_leads_out_of_the_folder(tmp_path, name):
    (tmp_path / "x").write_text(CANARY)
    folder = tmp_path / "credentials"
    folder.mkdir()
    with pytest.raises(SecretMissing, match="this is no name of a secret"):
        secret_from([], {"CREDENTIALS_DIRECTORY": str(folder)})(name)


def test_the_name_of_a_secret_is_all_that_the_file_and_its_forms_hold(loaded, right):
    line = loaded(right)
    key = line.destinations["erp"][1].key
    assert isinstance(key, SecretName)
    assert (key, repr(key)) == ("erp-key", "!secret erp-key")
    assert "    key: !secret erp-key\n" in to_yaml(line.effective)


@pytest.mark.parametrize(
    "text",
    [
        f"destinations: {{e: {{sink: erp, url: u, key: {CANARY}}}}}\n",
        f"destinations: {{e: {{sink: erp, url: u, key: '{CANARY}', wait_s: x, nokey: 1}}}}\n",
        f"destinations:\n  e:\n    sink: erp\n    url: 1\n    key: >\n      {CANARY}\n      {CANARY}\n",
        f"destinations: {{e: {{sink: erp, url: u, key: [{CANARY}]}}}}\n",
        f"destinations: {{e: {{sink: erp, url: 'https://bob:{CANARY}@h', x: 1}}}}\n",
        f"destinations: {{e: {{sink: nothing, password: {CANARY}}}}}\n",
        f"destinations: {{e: {{sink: erp, url: u, api_key: {CANARY}}}}}\n",
        f"destinations: {{e: {{sink: erp, key: {CANARY}\n",
        f"destinations: {{e: {{sink: erp, key： {CANARY}, url: u}}}}\n",
        f"a: @\ntoken: {CANARY}: x\n",
    ],
)
def test_a_secret_in_plain_text_is_refused_and_never_printed(write, mistakes, capsys, text):
    from edge.cli import main

    path = write(text)
    found = mistakes(path)
    printed = str(found) + repr(found) + found.to("zh") + str([problem.data() for problem in found.problems])
    for words in (["check", str(path)], ["check", "--json", str(path)], ["show", str(path), "--effective"]):
        assert main(words) == 78
    shown = capsys.readouterr()
    assert CANARY not in printed + shown.out + shown.err
