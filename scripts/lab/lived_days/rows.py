"""Rows of the recorder: the states of a sensor, and its statistics of five minutes and of hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, override

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.db_schema import States
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import STATISTIC_UNIT_TO_UNIT_CONVERTER
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.components.sensor import ATTR_STATE_CLASS, SensorStateClass
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import State
from homeassistant.helpers.recorder import session_scope
from sqlalchemy import delete, insert, select, update

from .past import SLOT, Series

HOUR: Final = 3600


@dataclass(slots=True)
class PutStates(RecorderTask):
    """Put states into the recorder, each with the attributes that its entity has now.

    What it shows at `now` comes last. They take the place of those that it had before its past was known: a plant that
    was just added has counted nothing.
    """

    state: State
    series: Series
    now: float

    @override
    def run(self, instance: Recorder) -> None:
        """Do it, in the recorder's own thread."""
        with session_scope(session=instance.get_session()) as session:
            entity_id = self.state.entity_id
            known = instance.states_meta_manager.get(entity_id, session, False)
            if known is None:
                return
            attributes = session.execute(
                select(States.attributes_id).where(States.metadata_id == known).limit(1)
            ).scalar()
            known_states = States.metadata_id == known
            session.execute(update(States).where(known_states).values(old_state_id=None))
            session.execute(delete(States).where(known_states))
            instance.states_manager.evict_purged_entity_ids({entity_id})
            session.execute(insert(States), list(self._rows(known, attributes)))
            instance.states_manager.load_from_db(session)

    def _rows(self, known: int, attributes: int | None) -> Iterator[dict[str, Any]]:
        """A row for each change, and one for now."""
        for moment, shown in (*self._changes(), (self.now, self.state.state)):
            yield {
                "metadata_id": known,
                "attributes_id": attributes,
                "state": shown,
                "last_updated_ts": moment,
                "last_reported_ts": moment,
                "origin_idx": 0,
            }

    def _changes(self) -> Iterator[tuple[float, str]]:
        """When the sensor has shown another value, and which."""
        before: float | None = None
        for moment in self.series.moments():
            value = self.series.at(moment)
            if value is not None and value != before:
                yield float(moment), str(value)
            before = value


def metadata_of(state: State) -> StatisticMetaData:
    """What the statistics of a sensor are about, as the recorder itself would store it."""
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    converter = STATISTIC_UNIT_TO_UNIT_CONVERTER.get(unit)
    counts = is_counter(state)
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE if counts else StatisticMeanType.ARITHMETIC,
        has_sum=counts,
        name=None,
        source="recorder",
        statistic_id=state.entity_id,
        unit_class=None if converter is None else converter.UNIT_CLASS,
        unit_of_measurement=unit,
    )


def is_counter(state: State) -> bool:
    """Whether a sensor counts; any other one measures."""
    return bool(state.attributes[ATTR_STATE_CLASS] != SensorStateClass.MEASUREMENT)


def measured(series: Series) -> list[StatisticData]:
    """The mean and the bounds of each slot."""
    return [
        StatisticData(
            start=_time(slot),
            mean=sum(values) / len(values),
            min=min(values),
            max=max(values),
        )
        for slot in series.slots()
        if (values := series.within(slot))
    ]


def counted(series: Series, now: float, value: float | None) -> list[StatisticData]:
    """The growth of a counter that begins again when it falls, at the end of each slot.

    Up to now, when it shows `value`: what it has grown by since the series has ended is in the slots after that.
    """
    rows: list[StatisticData] = []
    total, before = 0.0, series.at(series.began)

    def count(slot: int, reading: float | None) -> None:
        nonlocal total, before
        if reading is None:
            return
        if before is not None:
            total += reading - before if reading >= before else reading
        before = reading
        rows.append(StatisticData(start=_time(slot), state=reading, sum=total))

    slots = list(series.slots())
    for slot in slots:
        count(slot, series.at(slot + SLOT))
    for slot in range(slots[-1] + SLOT, int(now) - SLOT + 1, SLOT):
        count(slot, value)
    return rows


def hourly(rows: Iterable[StatisticData], now: float) -> list[StatisticData]:
    """The rows of the hours that are over, from those of their slots."""
    hours = []
    for hour, found in groupby(rows, lambda row: int(row["start"].timestamp()) // HOUR):
        start, slots = hour * HOUR, list(found)
        if start + HOUR > now:
            break
        last = slots[-1]
        if "sum" in last:
            hours.append(StatisticData(start=_time(start), state=last["state"], sum=last["sum"]))
        else:
            means = [row["mean"] for row in slots]
            hours.append(
                StatisticData(
                    start=_time(start),
                    mean=sum(means) / len(means),
                    min=min(row["min"] for row in slots),
                    max=max(row["max"] for row in slots),
                )
            )
    return hours


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
