"""The file of pretrained weights: found in one way, and never waited for."""

import os
import socket
import subprocess
import sys
import time

import pytest

from tessella.core.errors import InputError, RecipeError
from tessella.recipe.weights import find_weights


@pytest.fixture(autouse=True)
def no_caches(tmp_path, monkeypatch):
    """Neither the developer's caches nor the network take part."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # what it was when the module was loaded
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("weights", "error", "says"),
    [
        ("nowhere/start.safetensors", InputError, "no such weights file"),
        ("imagenet", RecipeError, r"names no weights.*got imagenet.*timm:<name>"),
        ("hub:justone", RecipeError, "hub:<owner>/<repo>/<file>"),
    ],
)
def test_a_text_that_names_no_weights_is_explained(weights, error, says):
    with pytest.raises(error, match=says):
        find_weights(weights)


def test_a_name_that_timm_does_not_know_gets_the_nearest(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.getsockname()[1]}")
        with pytest.raises(RecipeError, match=r"did you mean.*'resnet18'"):
            find_weights("timm:resnet81")


def test_a_name_of_timm_without_its_tag_finds_the_first_choice_of_timm(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    placed = tmp_path / "cache" / "tessella" / "weights" / "timm" / "resnet18.a1_in1k" / "model.safetensors"
    placed.parent.mkdir(parents=True)
    placed.touch()
    assert find_weights("timm:resnet18") == placed == find_weights("timm:resnet18.a1_in1k")


def test_a_file_brought_by_hand_is_found_before_any_network(tmp_path, monkeypatch):
    monkeypatch.setattr("tessella.recipe.weights._reachable", lambda _endpoint: pytest.fail("asked the network"))
    placed = tmp_path / "cache" / "tessella" / "weights" / "someone" / "nets" / "deep" / "a.safetensors"
    placed.parent.mkdir(parents=True)
    placed.touch()
    assert find_weights("hub:someone/nets/deep/a.safetensors") == placed


@pytest.mark.parametrize("weights", ["hub:someone/nets/a.safetensors", "timm:resnet18.a1_in1k", "timm:resnet18"])
@pytest.mark.parametrize("how", ["switched off", "refused", "no such host", "silent"])
def test_without_a_network_one_message_within_two_seconds_says_what_to_put_where(weights, how, tmp_path, monkeypatch):
    endpoints = {
        "switched off": "http://localhost",
        "refused": "http://127.0.0.1:9",
        "no such host": "http://hub.invalid",
        "silent": "http://192.0.2.1",  # reserved for documentation: nobody answers
    }
    monkeypatch.setenv("HF_ENDPOINT", endpoints[how])
    if how == "switched off":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        find_weights(weights)
    assert time.monotonic() - start < 2
    says = str(caught.value)
    assert f"{weights}: the weights are in no local cache" in says
    assert f"put {endpoints[how]}/" in says
    assert str(tmp_path / "cache" / "tessella" / "weights") in says
    assert "from scratch" in says


def test_absent_weights_are_answered_before_torch_is_loaded(tmp_path):
    script = (
        "import sys, tessella\nfrom tessella.core.errors import InputError\n"
        "try:\n"
        f"    tessella.plan({str(tmp_path)!r}, minutes=1, overrides=['model.weights=timm:resnet18.a1_in1k'])\n"
        "except InputError as error:\n"
        "    print(error, 'torch' in sys.modules)\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "the weights are in no local cache" in answer.stdout
    assert answer.stdout.rstrip().endswith("False")
