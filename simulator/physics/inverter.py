"""A hybrid inverter with its PV strings, its battery and its ports. No registers, no sockets, no wall clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from .battery import Battery
from .counters import Counters
from .dispatch import EFFICIENCY, Task, share_out, to_ac
from .flows import Flows
from .installation import Installation
from .orders import Controls, Moment, Orders, PortUse
from .phases import NOTHING, Phases, add, alike, less, times
from .port import ISLAND_FREQUENCY, Port, throttled
from .sky import Light
from .solar_inverter import SolarInverter
from .surroundings import Surroundings

ISLAND_VOLTAGE: Final = 230.0


class Supply(Enum):
    """What keeps the voltage that an inverter follows."""

    GRID = auto()
    # At its own port, in the place of the grid.
    GENERATOR = auto()
    # At its grid terminal: the whole house hangs on it.
    GENERATOR_AT_GRID = auto()
    # Nobody but itself.
    ISLAND = auto()


class Inverter:
    """One hybrid inverter at a site; what its settings mean comes from `controls`, moment by moment."""

    def __init__(
        self,
        site: Surroundings,
        controls: Controls | None = None,
        installation: Installation | None = None,
        *,
        soc: float = 0.6,
        coupled: SolarInverter | None = None,
    ) -> None:
        """`coupled` is a solar inverter on its backup output."""
        self.site = site
        self.controls = controls or Orders()
        self.installation = installation or Installation()
        self.strings = self.installation.strings
        self.battery = Battery(self.installation.battery, soc)
        self.port = Port()
        self.coupled = coupled
        # Its own trouble: it sees no grid.
        self.cut_off = False
        # The machine's own clock may be set to anything; the sun does not care.
        self.clock_offset = timedelta()
        self.flows = Flows(pv=(0.0,) * len(self.strings))
        self.heatsink_temperature = 30.0
        self.island_frequency = ISLAND_FREQUENCY
        self.supply = Supply.GRID
        self._blackout = False
        self._orders = Orders()
        self._sunshine: list[float] = []
        self._light = site.sky.light(site.now)
        self.counters = Counters(
            self.flows.meters(turning=False), self.clock.date(), self.installation.former_energy
        )

    # What can be seen of it

    @property
    def now(self) -> datetime:
        """The time at the site."""
        return self.site.now

    @property
    def clock(self) -> datetime:
        """The time that the machine believes it is."""
        return self.now + self.clock_offset

    @clock.setter
    def clock(self, value: datetime) -> None:
        self.clock_offset = value - self.now

    @property
    def soc(self) -> float:
        """The battery's state of charge, 0 to 1."""
        return self.battery.soc

    @soc.setter
    def soc(self, value: float) -> None:
        self.battery.soc = value

    @property
    def today(self) -> dict[str, float]:
        """The watt-hours of the day, by counter."""
        return self.counters.today

    @property
    def month(self) -> dict[str, float]:
        """The watt-hours of the month, by counter."""
        return self.counters.month

    @property
    def year(self) -> dict[str, float]:
        """The watt-hours of the year, by counter."""
        return self.counters.year

    @property
    def total(self) -> dict[str, float]:
        """The watt-hours of all the time, by counter."""
        return self.counters.total

    @property
    def running(self) -> bool:
        """Whether its output is alive."""
        return self._orders.enabled and not self._blackout

    @property
    def on_grid(self) -> bool:
        """Whether its grid relay is closed."""
        return self.running and self.supply in {Supply.GRID, Supply.GENERATOR_AT_GRID}

    @property
    def feeds_house(self) -> bool:
        """Whether the generator at its grid terminal has taken the grid's place."""
        return self.supply is Supply.GENERATOR_AT_GRID

    @property
    def output_voltages(self) -> Phases:
        """The volts at its output: the grid's while it is on it."""
        if not self.running:
            return NOTHING
        return self.site.voltages if self.supply is Supply.GRID else (ISLAND_VOLTAGE,) * 3

    @property
    def output_frequency(self) -> float:
        """The hertz at its output."""
        if not self.running:
            return 0.0
        return self.site.frequency if self.supply is Supply.GRID else self.island_frequency

    # A step: first what it wants, then, with what is around it, what it does, then what came of it

    def prepare(self, light: Light) -> None:
        """Read the settings, the sun and the battery, and switch the port."""
        self._light = light
        battery = self.battery
        self._orders = self.controls.orders(Moment(self.clock, battery))
        self._sunshine = _within(
            [string.power(light) for string in self.strings], self._orders.solar
        )
        self.port.decide(
            self._orders.port,
            battery.soc,
            sum(self._sunshine),
            grid=self.site.grid.present,
            running=self._orders.enabled,
        )
        self.supply = self._find_supply()

    def _find_supply(self) -> Supply:
        grid, generator = self.site.grid.present, self._orders.port.generator
        if self.port.generator.loaded and not generator.on_grid_input:
            return Supply.GENERATOR
        if grid:
            return Supply.GRID
        return Supply.GENERATOR_AT_GRID if self.port.generator.loaded else Supply.ISLAND

    def balance(self, seconds: float, around: Phases, circuits: Phases) -> None:
        """Find the powers of the next so many seconds.

        `around` is what the rest of the house draws where this inverter has its clamps, `circuits` what its backup
        output is asked for.
        """
        orders, grid = self._orders, self.site.grid.present
        if not orders.enabled:
            self._blackout = False
            self.flows = Flows(pv=(0.0,) * len(self.strings))
            self.battery.flow(0.0, seconds)
            return
        smart_load = self.port.smart_load(orders.port, grid=grid)
        backup = add(circuits, alike(smart_load, self.installation.phases))
        match self.supply:
            case Supply.GRID:
                self.flows = self._supplied(seconds, orders, around, backup)
            case Supply.GENERATOR:
                self.flows = self._on_generator(seconds, _by_generator(orders), backup)
            case Supply.GENERATOR_AT_GRID:
                self.flows = self._supplied(seconds, _by_generator(orders), around, backup)
            case Supply.ISLAND:
                self.flows = self._island(seconds, orders, backup)
        if smart_load and self.running:
            self.flows = replace(self.flows, smart_load=smart_load)

    def _supplied(self, seconds: float, orders: Orders, around: Phases, backup: Phases) -> Flows:
        """What flows while somebody else keeps the voltage: the grid, or a generator in its place."""
        self._blackout = False
        battery, rated = self.battery, self.installation.rated_power
        room = battery.most_charge(seconds, orders.full, orders.charge)
        backup = less(backup, self._coupled(1.0))
        net = add(around, backup) if orders.serves_home else backup
        port = self.port.feed(orders.port, self._light)
        if orders.port.export_cutoff:
            port = min(
                port, max(0.0, sum(net) - orders.least_import) + min(room / EFFICIENCY, rated)
            )
        fed = alike(port, self.installation.phases)
        served = sum(net) - port
        need = min(max(0.0, served - orders.least_import), rated)
        most = min(served + orders.export, rated) if orders.export > 0 else need
        worst = min(less(add(around, backup), fed)[: self.installation.phases])
        most = max(0.0, min(most, (worst + orders.phase_export) * self.installation.phases))
        charger = 0.0
        if battery.soc < orders.grid_charge_to:
            charger = battery.most_charge(seconds, orders.grid_charge_to, orders.grid_charge)
        used, power = share_out(
            Task(
                sunshine=sum(self._sunshine),
                need=min(need, most),
                most=most,
                surplus=max(0.0, -served),
                excess=max(0.0, -served - orders.export),
                load_first=orders.load_first,
                room=room,
                give=battery.most_discharge(
                    seconds, orders.floor, min(orders.to_load, orders.discharge)
                ),
                sells_battery=orders.sells_battery,
                sells=orders.sells,
                charger=charger,
                least=sum(around) + sum(backup) - port - orders.grid_import,
                shave=battery.most_discharge(seconds, orders.shaving_floor, orders.discharge),
                rated=rated,
            )
        )
        ac = to_ac(used + power)
        output = alike(ac, self.installation.phases)
        if ac > 0 and self.supply is not Supply.GRID:
            # Nothing may flow back into a generator, on no phase.
            output = times(net, ac / sum(net))
        return self._flows(seconds, used, power, output, backup, fed)

    def _on_generator(self, seconds: float, orders: Orders, backup: Phases) -> Flows:
        """What flows while the generator at the port feeds the backup output and the battery."""
        self.island_frequency = ISLAND_FREQUENCY
        flows = self._supplied(seconds, orders, NOTHING, backup)
        return replace(flows, port=flows.terminal)

    def _island(self, seconds: float, orders: Orders, backup: Phases) -> Flows:
        """What flows while the inverter alone keeps the voltage of its output."""
        battery, rated = self.battery, self.installation.rated_power
        if self._blackout and battery.soc >= orders.restart:
            self._blackout = False
        sunshine, demand = sum(self._sunshine), sum(backup)
        room = battery.most_charge(seconds, orders.full, orders.charge)
        give = battery.most_discharge(seconds, orders.shutdown, orders.discharge)
        port, coupled = self.port.feed(orders.port, self._light), self._coupled_power()
        micro = orders.port.use is PortUse.MICRO_INVERTER
        fed, self.island_frequency = throttled(
            port + coupled,
            demand + min(room / EFFICIENCY, rated),
            battery.soc,
            orders.port.off_soc if micro else orders.full,
            orders.port.high_frequency,
        )
        if self._blackout or min(to_ac(sunshine + give), rated) + fed < demand:
            self._blackout = True
            fed, demand, backup = 0.0, 0.0, NOTHING
        share = fed / (port + coupled) if fed else 0.0
        used, power = share_out(
            Task(
                sunshine=sunshine,
                need=max(0.0, demand - fed),
                most=max(0.0, demand - fed),
                surplus=max(0.0, fed - demand),
                excess=max(0.0, fed - demand),
                load_first=orders.load_first,
                room=room,
                give=give,
                least=demand - fed,
                shave=give,
                rated=rated,
            )
        )
        backup = less(backup, self._coupled(share))
        fed_phases = alike(port * share, self.installation.phases)
        # Whoever keeps the voltage gives each phase what it is asked for.
        output = less(backup, fed_phases)
        return self._flows(seconds, used, power, output, backup, fed_phases)

    def _coupled_power(self) -> float:
        """What the solar inverter at the backup output could feed; it stands while a generator runs."""
        if self.coupled is None or self.supply not in {Supply.GRID, Supply.ISLAND}:
            return 0.0
        return self.coupled.power(self._light)

    def _coupled(self, share: float) -> Phases:
        """A share of what the solar inverter at the backup output could feed."""
        if self.coupled is None:
            return NOTHING
        return self.coupled.phases(self._coupled_power() * share)

    def _flows(
        self,
        seconds: float,
        used: float,
        power: float,
        output: Phases,
        backup: Phases,
        port: Phases,
    ) -> Flows:
        """The flows with a power from the strings and one from the battery, which is charged or drained by it."""
        self.battery.flow(power, seconds)
        sunshine = sum(self._sunshine)
        share = used / sunshine if sunshine > 0 else 0.0
        return Flows(
            pv=tuple(string * share for string in self._sunshine),
            battery=power,
            inverter_phases=output,
            backup=backup,
            port=port,
        )

    @property
    def fed(self) -> Phases:
        """What it feeds on the AC side."""
        return add(self.flows.inverter_phases, self.flows.port)

    def settle(self, seconds: float, grid: Phases, fed: Phases) -> None:
        """Count what has flowed, with what came through the house connection and what everybody has fed in."""
        engine = self.port.generator
        self.flows = replace(
            self.flows,
            grid_phases=grid,
            others=less(fed, self.fed),
            generator=sum(grid) if self.feeds_house else 0.0,
        )
        engine.step(seconds)
        self.counters.count(self.flows.meters(turning=engine.turning), seconds)
        load = abs(self.flows.inverter) / self.installation.rated_power
        aim = self._light.temperature + 10 + 25 * load
        self.heatsink_temperature += (aim - self.heatsink_temperature) * min(1.0, seconds / 600)

    def roll(self) -> None:
        """Begin a new day when the machine's clock shows one."""
        if self.counters.roll(self.clock.date()):
            self.port.generator.new_day()

    def seconds_to_midnight(self) -> float:
        """The seconds until the machine's clock begins a new day."""
        clock = self.clock
        midnight = datetime.combine(clock.date(), datetime.min.time()) + timedelta(days=1)
        return (midnight - clock).total_seconds()


def _within(powers: list[float], most: float) -> list[float]:
    """Some powers, each of them reduced alike when they are too much together."""
    whole = sum(powers)
    return [power * most / whole for power in powers] if whole > most else powers


def _by_generator(orders: Orders) -> Orders:
    """The orders while a generator is in the place of the grid: nothing may flow back into it."""
    generator = orders.port.generator
    return replace(
        orders,
        serves_home=True,
        least_import=0.0,
        export=0.0,
        sells_battery=False,
        grid_import=generator.rated_power,
        shaving_floor=orders.shutdown if generator.peak_shaving else 1.0,
        to_load=0.0,
        grid_charge=generator.charge,
        grid_charge_to=generator.stop_soc,
    )
