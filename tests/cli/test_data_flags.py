"""What says how DATA is read is the same for every command and every door that takes DATA."""

import inspect

import click
import pytest
import typer

import tessella
from tessella.cli.flags import options_of
from tessella.cli.main import application
from tessella.core.errors import RecipeError

READING = {"format", "classes", "photos", "options", "max_pixels"}
FLAGS = {"--format", "--classes", "--photos", "--option", "--max-pixels"}


def commands() -> dict[str, click.Command]:
    return typer.main.get_command(application()).commands


def flags_of(name: str) -> dict[str, str]:
    return {flag: option.help for option in commands()[name].params for flag in option.opts if flag.startswith("--")}


@pytest.mark.parametrize("name", ["check", "convert", "inspect", "plan", "train", "evaluate", "export"])
def test_every_command_that_reads_data_says_in_the_same_words_how_it_is_read(name: str) -> None:
    here, there = flags_of(name), flags_of("check")
    assert set(here) >= FLAGS
    assert {flag: here[flag] for flag in FLAGS} == {flag: there[flag] for flag in FLAGS}


def test_no_command_that_takes_data_was_forgotten() -> None:
    taking = {
        name
        for name, command in commands().items()
        for option in command.params
        if "DATA" in str(option.metavar) or option.name == "data"
    }
    assert taking == {"check", "convert", "plan", "train", "evaluate", "export", "lock"}
    assert set(flags_of("lock")) & FLAGS == set(), "a lock hashes files, whatever they mean"


@pytest.mark.parametrize("name", ["open", "check", "convert", "inspect", "plan", "train", "evaluate", "export"])
def test_every_door_that_reads_data_takes_the_same_keywords(name: str) -> None:
    parameters = inspect.signature(getattr(tessella, name)).parameters
    assert set(parameters) >= READING
    assert all(parameters[word].default is None for word in READING)
    assert all(parameters[word].kind is inspect.Parameter.KEYWORD_ONLY for word in READING)


def test_options_are_pairs_and_an_empty_value_is_one() -> None:
    assert options_of(None) is None
    assert options_of([]) is None
    assert options_of(["layer=", "class=land=use"]) == {"layer": "", "class": "land=use"}
    for pairs in (["layer"], ["=roofs"], ["="], ["layer=", "layer=roofs"]):
        with pytest.raises(RecipeError, match="each key is given once"):
            options_of(pairs)
