"""Removes the factors somebody confirmed, and never one that was enrolled since (law 5, M2, M4)."""

from collections.abc import Collection

from account_access.connectors.base import Connector, Factor, StateRefused


class TakesAlongMore(StateRefused):
    """Removing a listed factor would also remove one that is not in the list: ask the person anew."""


def remove_listed(connector: Connector, external_id: str, factor_ids: Collection[str]) -> tuple[Factor, ...]:
    """Removes those of the listed factors that still stand and returns all that stands afterwards, as read back.

    Safe to repeat after OutcomeUnknown or a crash. The caller compares: a listed factor in the answer was not removed,
    whatever the system said. Raises TakesAlongMore before it removes anything, and the connector's errors; between
    them and its calls lies the time of one read, which no system lets us close.
    """
    standing = [factor for factor in connector.factors(external_id) if factor.id in factor_ids]
    more = {other for factor in standing for other in factor.takes_along} - set(factor_ids)
    if more:
        raise TakesAlongMore(f"{len(more)} more factors would go with the {len(standing)} confirmed ones")
    # What takes others along goes last: the others are then surely gone, and by the call that names them.
    for factor in sorted(standing, key=lambda factor: len(factor.takes_along)):
        connector.remove_factor(external_id, factor.id)
    return connector.factors(external_id)
