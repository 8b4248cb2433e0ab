import re
import tomllib
from pathlib import Path

import pytest
import typer

from tessella.cli.main import COMMANDS, application
from tessella.files.classes import read_classes

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def options_of(command: str) -> set[str]:
    known = typer.main.get_command(application()).commands[command]  # type: ignore[attr-defined]
    return {flag for parameter in known.params for flag in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("name", READMES)
def test_every_command_line_of_the_readme_uses_commands_and_options_that_exist(name: str) -> None:
    lines = [line for block in blocks(name, "sh") for line in block.splitlines()]
    calls = [call for line in lines for call in re.findall(r"\btessella ([a-z]+)([^#&]*)", line)]
    assert {command for command, _ in calls} >= {"demo", "check", "plan", "train", "predict", "export"}
    for command, rest in calls:
        assert command in COMMANDS
        assert set(re.findall(r"--[a-z-]+", rest)) <= options_of(command), (command, rest)


@pytest.mark.parametrize("name", READMES)
def test_the_class_file_of_the_readme_is_read(name: str, tmp_path: Path) -> None:
    (text,) = blocks(name, "toml")
    tomllib.loads(text)
    (tmp_path / "classes.toml").write_text(text, encoding="utf-8")
    coding = read_classes(tmp_path / "classes.toml")
    assert coding.value_to_id() == {0: 0, 1: 1, 255: 1, 11: 255}


def test_both_readmes_give_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        return [line.split("#")[0].strip() for block in blocks(name, "sh") for line in block.splitlines()]

    assert commands("README.md") == commands("README.zh-CN.md")


@pytest.mark.parametrize("path", ["README.md", "README.zh-CN.md", "CHANGELOG.md", "docs"])
def test_every_link_within_the_project_leads_somewhere(path: str) -> None:
    pages = sorted((ROOT / path).rglob("*.md")) if (ROOT / path).is_dir() else [ROOT / path]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_file_tree_of_the_readme_names_every_room() -> None:
    (tree,) = blocks("README.md", "text")
    rooms = {folder.name for folder in (ROOT / "src/tessella").iterdir() if (folder / "__init__.py").exists()}
    assert set(re.findall(r"(\w+)/(?= )", tree)) == rooms


def test_the_python_example_uses_public_names_only() -> None:
    import tessella

    (code,) = blocks("README.md", "python")
    names = set(re.findall(r"\bts\.(\w+)", code))
    assert names
    assert names <= set(tessella.__all__)


def test_both_readmes_show_the_same_file_tree_and_the_same_pages() -> None:
    def rooms(name: str) -> list[str]:
        (tree,) = blocks(name, "text")
        return re.findall(r"(\w+)/(?= )", tree)

    def pages(name: str) -> list[str]:
        last = (ROOT / name).read_text(encoding="utf-8").rpartition("```")[2]
        return re.findall(r"\]\(([^)]+)\)", last)

    assert rooms("README.md") == rooms("README.zh-CN.md")
    assert len(pages("README.md")) >= 7
    assert pages("README.md") == pages("README.zh-CN.md")


def test_the_source_distribution_holds_what_the_tests_read() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert {"/docs", "/benchmarks", "/tests", *(f"/{name}" for name in READMES)} <= set(
        build["targets"]["sdist"]["include"]
    )
