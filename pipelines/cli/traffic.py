"""The commands of `headrace models` that say which versions answer beside the champion."""

from __future__ import annotations

import click

from pipelines.cli.model_store import model_store, require_proof
from pipelines.cli.outcome import print_json, tell
from serving.bundle.errors import StoreError
from serving.bundle.read import read_manifest
from serving.bundle.store import ModelStore
from serving.bundle.traffic import Share, TrafficPlan

_JSON = click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")


@click.command()
@click.argument("model")
@click.argument("version")
@click.option("--percent", type=click.FloatRange(0, 100), required=True, help="Of the requests that name no version.")
@_JSON
def canary(model: str, version: str, percent: float, as_json: bool) -> None:
    """Let VERSION answer a part of MODEL's requests, and the champion the rest.

    The same request id (or `x-request-id` header) goes to the same version, and a higher percentage only moves requests
    to VERSION. A version that a gate refused answers nobody.

    \b
    Example:
      headrace models canary flight-delay 3 --percent 10
    """
    store = model_store()
    _not_the_champion(store, model, version)
    if version in store.versions(model):
        require_proof(store, model, version)
    share = Share(version=version, percent=percent)
    plan = store.set_traffic(model, lambda plan: plan.model_copy(update={"canary": share}))
    _note_other_inputs(store, model, version)
    _show(model, plan, as_json)


@click.command()
@click.argument("model")
@click.argument("version")
@click.option(
    "--percent",
    type=click.FloatRange(0, 100),
    default=100.0,
    show_default=True,
    help="Of the requests that the champion answers.",
)
@_JSON
def shadow(model: str, version: str, percent: float, as_json: bool) -> None:
    """Give VERSION copies of MODEL's requests; its answers are only compared with the champion's, never sent.

    \b
    Example:
      headrace models shadow flight-delay 3
    """
    store = model_store()
    _not_the_champion(store, model, version)
    share = Share(version=version, percent=percent)
    _show(model, store.set_traffic(model, lambda plan: plan.model_copy(update={"shadow": share})), as_json)


@click.command()
@click.argument("model")
@click.argument("versions", nargs=-1)
@_JSON
def also(model: str, versions: tuple[str, ...], as_json: bool) -> None:
    """Keep these VERSIONS of MODEL loaded for who asks for them by number; none for no version.

    \b
    Example:
      headrace models also flight-delay 1 2
    """
    _show(model, model_store().set_traffic(model, lambda plan: plan.model_copy(update={"also": versions})), as_json)


@click.command()
@click.argument("model")
@_JSON
def clear(model: str, as_json: bool) -> None:
    """End MODEL's canary, shadow and further versions: the champion alone answers.

    \b
    Example:
      headrace models clear flight-delay
    """
    store = model_store()
    store.clear_traffic(model)
    _show(model, store.traffic(model), as_json)


@click.command()
@click.argument("model")
@_JSON
def retire(model: str, as_json: bool) -> None:
    """Take MODEL out of service; nothing is deleted, and requests in flight are answered.

    \b
    Example:
      headrace models retire flight-delay
    """
    _show(model, model_store().set_traffic(model, lambda plan: plan.model_copy(update={"retired": True})), as_json)


@click.command()
@click.argument("model")
@_JSON
def restore(model: str, as_json: bool) -> None:
    """Put a retired MODEL back into service.

    \b
    Example:
      headrace models restore flight-delay
    """
    _show(model, model_store().set_traffic(model, lambda plan: plan.model_copy(update={"retired": False})), as_json)


@click.command()
@click.argument("model")
@_JSON
def traffic(model: str, as_json: bool) -> None:
    """Show which versions of MODEL answer.

    \b
    Example:
      headrace models traffic flight-delay
    """
    store = model_store()
    if model not in store.models():
        raise StoreError(f"{store.root} has no model {model!r}; it has: {', '.join(store.models()) or 'none'}")
    _show(model, store.traffic(model), as_json)


COMMANDS = (canary, shadow, also, clear, retire, restore, traffic)


def _not_the_champion(store: ModelStore, model: str, version: str) -> None:
    champion = store.champion(model)
    if champion is None:
        raise StoreError(f"model {model!r} has no champion in {store.root}\n  do: promote a version first")
    if champion.version == version:
        raise StoreError(
            f"version {version!r} is the champion of {model!r} already; expected another of its versions: "
            f"{', '.join(each for each in store.versions(model) if each != version) or 'there is none'}"
        )


def _note_other_inputs(store: ModelStore, model: str, version: str) -> None:
    champion = store.champion(model)
    if champion is None:
        return
    old, new = (
        {(spec.name, spec.datatype) for spec in read_manifest(store.bundle_path(model, each)).inputs}
        for each in (champion.version, version)
    )
    changed = [f"wants {name} as {datatype}" for name, datatype in sorted(new - old)]
    changed += [f"knows no {name} as {datatype}" for name, datatype in sorted(old - new)]
    if changed:
        click.echo(
            f"note: version {version} {', '.join(changed[:5])}{', ...' if len(changed) > 5 else ''}, unlike the "
            f"champion; it refuses the requests of its part that do not fit",
            err=True,
        )


def _show(model: str, plan: TrafficPlan, as_json: bool) -> None:
    champion = model_store().champion(model)
    lines = [f"champion {champion.version}" if champion else "no champion"]
    if plan.canary is not None:
        lines.append(f"canary   {plan.canary.version}  answers {plan.canary.percent:g}% of what names no version")
    if plan.shadow is not None:
        lines.append(
            f"shadow   {plan.shadow.version}  is compared on {plan.shadow.percent:g}% of what the champion answers"
        )
    if plan.also:
        lines.append(f"also     {', '.join(plan.also)}")
    tell(f"{model}{': retired, nothing is served' if plan.retired else ''}")
    for line in lines:
        tell(f"  {line}")
    if as_json:
        version = champion.version if champion else None
        print_json({"model": model, "champion": version, **plan.model_dump(mode="json")})
