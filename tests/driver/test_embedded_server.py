"""EmbeddedServer with a ComfyUI that starts at once: readiness, failures, restart."""

from pathlib import Path

import pytest
import requests
from manyshot.core.errors import InputError, ServerError
from manyshot.driver.embedded import EmbeddedServer, ServerSettings
from manyshot.driver.embedded.ready import PortTaken


def settings(comfyui: Path, *arguments: str, timeout: float = 20.0) -> ServerSettings:
    return ServerSettings(comfyui=comfyui, device="cpu", arguments=arguments, start_timeout=timeout)


def test_answers_inside_the_block_and_not_after_it(cache: Path, fake_comfyui: Path) -> None:
    with EmbeddedServer(settings(fake_comfyui)) as server:
        assert requests.get(f"{server.url}/system_stats", timeout=5).status_code == 200
        assert (server.alive(), server.facts.device) == (True, "fake")
        assert f"cwd {server.folder}" in server.log.read_text()
        url = server.url
    assert not server.alive()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_listens_on_loopback_without_a_browser(cache: Path, fake_comfyui: Path) -> None:
    with EmbeddedServer(settings(fake_comfyui, "--cache-none")) as server:
        stats = requests.get(f"{server.url}/system_stats", timeout=5).json()
    argv = stats["system"]["argv"]
    assert argv[argv.index("--listen") + 1] == "127.0.0.1"
    assert {"--cpu", "--disable-auto-launch", "--cache-none"} <= set(argv)


def test_tells_its_progress(cache: Path, fake_comfyui: Path) -> None:
    said: list[str] = []
    with EmbeddedServer(settings(fake_comfyui), said.append):
        pass
    assert said == ["Starting ComfyUI 0.3.75 on the CPU (about 15 s)"]


def test_a_death_is_noticed_at_once_and_shows_the_log(cache: Path, fake_comfyui: Path) -> None:
    server = EmbeddedServer(settings(fake_comfyui, "--fake-exit", "it broke", timeout=600))
    with pytest.raises(ServerError, match=r"(?s)while it was starting.*comfyui\.log.*it broke"):
        server.start()
    assert not server.alive()


def test_silence_ends_with_the_timeout(cache: Path, fake_comfyui: Path) -> None:
    with pytest.raises(ServerError, match=r"did not answer at http://127.* within 0.5 s"):
        EmbeddedServer(settings(fake_comfyui, "--fake-silent", timeout=0.5)).start()


def test_a_python_that_does_not_exist(cache: Path, fake_comfyui: Path) -> None:
    wrong = ServerSettings(comfyui=fake_comfyui, device="cpu", python=Path("/nowhere/python"))
    with pytest.raises(ServerError, match="/nowhere/python could not be started"):
        EmbeddedServer(wrong).start()


def test_a_node_pack_that_fails_is_an_error(cache: Path, fake_comfyui: Path) -> None:
    pack = cache / "servers" / "1" / "custom_nodes" / "manyshot"
    line = f"Error while calling comfy_entrypoint in {pack}: No module named 'x'"
    with pytest.raises(ServerError, match="node pack manyshot: No module named 'x'"):
        EmbeddedServer(settings(fake_comfyui, "--fake-say", line)).start()


def test_a_users_other_pack_that_fails_is_theirs(cache: Path, fake_comfyui: Path) -> None:
    line = "Cannot import /home/x/custom_nodes/y module for custom nodes: broken"
    with EmbeddedServer(settings(fake_comfyui, "--fake-say", line)) as server:
        assert server.alive()


def test_a_taken_port_is_tried_again_with_another(cache: Path, fake_comfyui: Path) -> None:
    said = "error while attempting to bind on address: address already in use"
    with pytest.raises(PortTaken):
        EmbeddedServer(settings(fake_comfyui, "--fake-exit", said)).start()
    logs = sorted(path.name for path in (cache / "servers" / "1" / "logs").iterdir())
    assert logs == ["comfyui.log", "comfyui.log.1", "comfyui.log.2"]


def test_comes_back_at_the_same_url_after_a_kill(cache: Path, fake_comfyui: Path) -> None:
    with EmbeddedServer(settings(fake_comfyui)) as server:
        url, pid = server.url, server.process.pid
        server.kill()
        assert not server.alive()
        server.restart()
        assert server.alive()
        assert (server.url, server.process.pid != pid) == (url, True)
        server.restart()
        assert server.url == url


def test_two_at_once(cache: Path, fake_comfyui: Path) -> None:
    with (
        EmbeddedServer(settings(fake_comfyui)) as first,
        EmbeddedServer(settings(fake_comfyui)) as second,
    ):
        assert first.url != second.url
        assert first.folder != second.folder


def test_close_twice_and_use_before_start(cache: Path, fake_comfyui: Path) -> None:
    server = EmbeddedServer(settings(fake_comfyui))
    with pytest.raises(ServerError, match="has not been started"):
        server.kill()
    server.start()
    server.close()
    server.close()


def test_a_folder_that_is_no_comfyui(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a ComfyUI folder"):
        EmbeddedServer(settings(tmp_path)).start()
