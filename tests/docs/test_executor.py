"""The executor itself fails where the documentation is wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from data_contracts.errors import ContractError
from serving.config_file import ConfigError as ServingConfigError
from tasks.errors import ConfigError
from tests.docs.blocks import COMMANDS, REASONS, ROOT, Block, blocks, every_block, pages
from tests.docs.command_lines import require_known, require_possible, spoken
from tests.docs.fragments import require_accepted
from tests.docs.page_shell import PageShell
from tests.docs.reading_arguments import WrongCommandError
from tests.docs.statements import simple_commands, statements
from tests.docs.walking import Headrace, require_json, require_said, require_settings, walk, walk_briefly
from tests.end_to_end.customers import write_project

MOST_SKIPPED = 22


def block(language: str, text: str, **said: str) -> Block:
    return Block("page.md", 1, language, text, said)


def test_every_page_is_read_and_few_blocks_are_skipped() -> None:
    every = every_block()
    assert {page.relative_to(ROOT).as_posix() for page in pages()} >= {"README.md", "docs/growing/object-store.md"}
    assert Counter(each.language in COMMANDS for each in every)[True] > 50
    skipped = [each for each in every if not each.runs]
    assert all(each.said["skip because"] in REASONS for each in skipped)
    assert len(skipped) <= MOST_SKIPPED, "\n".join(f"{each.place}: {each.said['skip because']}" for each in skipped)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text\n\n    headrace run customers.yaml\n", "page.md:3: an indented block"),
        ("```\nheadrace run\n```\n", "unknown language ''"),
        ("```bash\nheadrace run\n```\n", "unknown language 'bash'"),
        ("<!-- test: servign -->\n```yaml\n```\n", "`servign`: expected one of"),
        ("<!-- test: file -->\n```yaml\n```\n", "`file`: expected one of"),
        ("<!-- test: skip because it is hard -->\n```sh\n```\n", "`it is hard` is no reason"),
        ("<!-- test: slow -->\nThe end.\n", "comes no block"),
    ],
)
def test_a_page_that_keeps_no_convention_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(blocks("page.md", text))


def test_blocks_know_their_line_and_what_is_said_of_them() -> None:
    text = "# Title\n\n<!-- test: serving; file serve.yaml -->\n```yaml\nport: 1\n```\n\n- one:\n  ```sh\n  ls\n  ```\n"
    first, second = blocks("page.md", text)
    assert (first.place, first.text, first.said) == ("page.md:5", "port: 1\n", {"serving": "", "file": "serve.yaml"})
    assert (second.line, second.text, second.said) == (10, "ls\n", {})


@pytest.mark.parametrize(
    ("text", "said", "error"),
    [
        ("train: {steps_per_rond: 5}", {}, ConfigError),
        ("trian: {rounds: 5}", {}, ConfigError),
        ("train: {rounds: many}", {}, ConfigError),
        ("preprocess: {columns: {incme: {impute: mean}}}", {}, ConfigError),
        ("promote: {gates: {floor: {roc_acu: 0.7}}}", {}, ConfigError),
        ("schedule: {cron: '0 25 * * *'}", {}, ConfigError),
        ("images: {image: {widht: 3}}", {}, ConfigError),
        ("search: {space: {train.optimiser.learning_rate: {low: 1, high: 2}}, trials: 1}", {}, ConfigError),
        ("limits: {max_bach: 5}", {"serving": ""}, ServingConfigError),
        ("- {name: a, logicalType: strin}", {"contract": ""}, ContractError),
        ("quality: [{metric: rowCont, mustBe: 3}]", {"contract": ""}, ContractError),
    ],
)
def test_a_wrong_fragment_is_refused(text: str, said: dict[str, str], error: type, tmp_path: Path) -> None:
    with pytest.raises(error):
        require_accepted(block("yaml", text, **said), tmp_path)


def test_broken_json_is_refused() -> None:
    with pytest.raises(ValueError, match="delimiter"):
        require_json(block("json", '{"a": 1 "b": 2}'))


@pytest.mark.parametrize(
    "statement",
    [
        "headrace rum customers.yaml",
        "headrace run",
        "headrace run customers.yaml --sett train.seed=1",
        "headrace models canary flight-delay 2 --percentage 10",
        "headrace gc --keep-runs three",
        "headrace models list | heardace report",
        "KEY=$(headrace keys ad mobile)",
        "nice headrace run customers.yaml",
        "python -m serving --stroe models",
        "python -m servign",
        "python -m tasks.training.rank",
        "prefect worker strat --pool headrace",
        "prefect worker start --pol headrace",
        "dask worker --nthread 4 tcp://10.0.0.1:8786",
        "make runn",
        "pip install 'headrace[s4]'",
        "uvicorn --factry serving.transports.asgi:application",
        "schemathesis runn http://localhost:8080/openapi.json",
    ],
)
def test_a_command_that_cannot_be_is_refused(statement: str) -> None:
    with pytest.raises(WrongCommandError):
        require_possible(statement)


@pytest.mark.parametrize("code", ["headrace rum", "headrace models lst", "headrace run CONFIG --sett KEY=VALUE"])
def test_a_command_named_in_passing_that_is_none_is_refused(code: str) -> None:
    assert list(spoken(f"Then `{code}` does it.")) == [code]
    with pytest.raises(WrongCommandError):
        require_known(code)


def test_statements_and_their_commands() -> None:
    loop = "for x in a b; do\n  headrace run $x > log\ndone\n"
    text = f"export A=1  # one\n{loop}B=$(cat c | head -1) headrace gc \\\n  --json\n"
    found = list(statements(block("sh", text)))
    assert [line for line, _ in found] == [1, 2, 5]
    commands = [list(simple_commands(statement)) for _, statement in found]
    assert commands[0] == [["export", "A=1"]]
    assert commands[1] == [["for", "x", "in", "a", "b"], ["headrace", "run", "$x"]]
    assert commands[2] == [["cat", "c"], ["head", "-1"], ["headrace", "gc", "--json"]]
    console = block("console", '$ curl -d \'{\n  "a": 1}\'\n{"b": 2}\n$ ls\n')
    assert [line for line, _ in statements(console)] == [1, 4]
    with pytest.raises(ValueError, match="ends within a statement"):
        list(statements(block("sh", "echo 'one\n")))


def test_a_shell_keeps_what_a_page_sets_and_fails_where_a_command_fails(tmp_path: Path) -> None:
    with PageShell(tmp_path) as shell:
        page = [block("sh", "export A=1\nB=2\n"), block("sh", 'echo "$A $B"\n'), block("text", "1 2\n", output="")]
        assert walk(page, shell, None) == 3  # type: ignore[arg-type]
        with pytest.raises(AssertionError, match="ended with 1"):
            shell.do("false")
        with pytest.raises(AssertionError, match="ended with 0"):
            shell.do("true", (3,))
        with pytest.raises(pytest.fail.Exception, match="ended with 2"):
            shell.do("headrace serve --set limits.max_bach=1")
        with pytest.raises(AssertionError, match="the page shows"):
            require_said(block("text", "1 3\n"), shell.said)


def test_a_brief_walk_fails_where_a_brief_command_does(tmp_path: Path) -> None:
    shell = PageShell(tmp_path)
    page = [block("sh", "echo 1\nheadrace schema\nheadrace serve\nheadrace schema\n")]
    asked: list[list[str]] = []

    def headrace(code: int) -> Headrace:
        return lambda words: asked.append(words) or (code, "", "no")  # type: ignore[func-returns-value]

    # What stands behind a long command in its block is left out with it.
    assert (walk_briefly(page, shell, None, headrace(0)), asked) == (2, [["schema"]])  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=r"headrace schema\nended with 2"):
        walk_briefly(page, shell, None, headrace(2))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="ended with 1"):
        walk_briefly([block("sh", "cd nowhere\n")], shell, None, headrace(0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("headrace run customers.yaml --set train.steps_per_rond=5", "steps_per_round"),
        ("headrace up customers.yaml --set promote.gates.floor.roc_acu=0.7", "roc_auc"),
        ("headrace serve --set limits.max_bach=1", "max_batch"),
    ],
)
def test_a_wrong_setting_of_a_long_command_is_refused(statement: str, said: str, tmp_path: Path) -> None:
    write_project(tmp_path, rows=200)
    require_settings(statement.partition(" --set")[0], tmp_path)
    with pytest.raises(ValueError, match=said):
        require_settings(statement, tmp_path)


def test_ports_that_a_page_names_become_free_ones(tmp_path: Path) -> None:
    shell = PageShell(tmp_path)
    said = shell.written("curl localhost:8080/v2 && headrace serve --port 8080 --set limits.max_batch=8080")
    port = shell.port("8080")
    assert said == f"curl localhost:{port}/v2 && headrace serve --port {port} --set limits.max_batch=8080"
