"""`headrace models`."""

from __future__ import annotations

from typing import Any

import click

from pipelines.cli import traffic
from pipelines.cli.model_store import known_versions, model_store, require_proof
from pipelines.cli.outcome import print_json, tell
from serving.bundle.errors import StoreError
from serving.bundle.read import read_manifest


@click.group()
def command() -> None:
    """List, show, promote and roll back the versions in the model store, and say which of them answer.

    A running endpoint takes every change over within a second.

    \b
    Example:
      headrace models list
      headrace models canary flight-delay 3 --percent 10
      headrace models rollback flight-delay
    """


for _command in traffic.COMMANDS:
    command.add_command(_command)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def list_models(as_json: bool) -> None:
    """List every model with its versions; `*` marks the champion, and what its traffic plan names is said.

    \b
    Example:
      headrace models list
    """
    store = model_store()
    rows = []
    for model in store.models():
        champion, plan = store.champion(model), store.traffic(model)
        for version in store.versions(model):
            digest = read_manifest(store.bundle_path(model, version)).digest
            crowned = champion is not None and champion.version == version
            named = [role for each, role in plan.versions() if each == version]
            rows.append({"model": model, "version": version, "digest": digest, "champion": crowned, "traffic": named})
            said = ", ".join([*named, *(["retired"] if plan.retired else [])])
            tell(f"{'*' if crowned else ' '} {model}  {version}  {digest[:12]}  {said}".rstrip())
    if not rows:
        click.echo(f"no models in {store.root}; `headrace run CONFIG` makes one", err=True)
    if as_json:
        print_json({"store": str(store.root), "versions": rows})


@command.command()
@click.argument("model")
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def show(model: str, version: str | None, as_json: bool) -> None:
    """Show what MODEL's VERSION (by default its champion) is and what proves it.

    \b
    Example:
      headrace models show flight-delay 3
    """
    store = model_store()
    if version is None:
        champion = store.champion(model)
        if champion is None:
            raise StoreError(
                f"model {model!r} has no champion in {store.root}; its versions: {known_versions(store, model)}"
            )
        version = champion.version
    if version not in store.versions(model):
        raise StoreError(
            f"model {model!r} has no version {version!r} in {store.root}; it has: {known_versions(store, model)}"
        )
    path = store.bundle_path(model, version)
    manifest = read_manifest(path)
    tell(f"{model} {version}  {path}\ndigest   {manifest.digest}\nproblem  {manifest.problem}")
    for word in ("classes", "labels", "quantiles"):
        if columns := getattr(manifest, word):
            tell(f"{word:<9}{', '.join(map(str, columns))}")
    for spec in manifest.inputs:
        tell(f"input    {spec.name:<20} {spec.datatype:<6} {'nullable' if spec.nullable else 'required'}")
    for output in manifest.outputs:
        shape = ", ".join("rows" if size < 0 else str(size) for size in output.shape)
        tell(f"output   {output.name:<20} {output.datatype:<6} [{shape}]")
    for line in _flat("", dict(manifest.proofs)):
        tell(line)
    if as_json:
        print_json(manifest.model_dump(mode="json"))


@command.command()
@click.argument("model")
@click.argument("version")
def promote(model: str, version: str) -> None:
    """Make VERSION the champion of MODEL by hand; the endpoint takes it over within a second.

    Without proof there is no promotion by hand either: a version that a gate refused stays refused.

    \b
    Example:
      headrace models promote flight-delay 3
    """
    store = model_store()
    if version in store.versions(model):
        require_proof(store, model, version)
    champion = store.set_champion(model, version)
    click.echo(f"{model}: champion is now version {champion.version}")


@command.command()
@click.argument("model")
def rollback(model: str) -> None:
    """Make the champion before this one the champion of MODEL again.

    \b
    Example:
      headrace models rollback flight-delay
    """
    champion = model_store().rollback(model)
    click.echo(f"{model}: champion is now version {champion.version}")


def _flat(prefix: str, value: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict):
            lines.extend(_flat(f"{name}.", inner))
        else:
            lines.append(f"proof    {name:<40} {inner}")
    return lines
