"""A hybrid inverter with its PV strings, its battery and its ports. No registers, no sockets, no wall clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from .battery import Battery
from .chance import seconds_of
from .counters import Counters
from .dispatch import EFFICIENCY, Task, share_out, to_ac
from .flows import Flows
from .installation import Installation
from .orders import Controls, Moment, Orders, PortUse
from .phases import NOTHING, Phases, add, alike, less, times
from .port import ISLAND_FREQUENCY, Port, throttled
from .pv import shaded, within
from .senses import Read, Senses, exactly
from .sky import Light
from .solar_inverter import SolarInverter
from .supply import Supply, by_generator
from .surroundings import Surroundings
from .view import View
from .wiring import Wiring

ISLAND_VOLTAGE: Final = 230.0
# Where what the clamps show depends on what the inverter itself does, it corrects its power once a second, no more
# often than this in a step, until it changes by no more watts.
MAX_ROUNDS: Final = 12
SETTLED: Final = 10.0


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
        senses: Senses | None = None,
    ) -> None:
        """`coupled` is a solar inverter on its backup output; without `senses` it measures exactly."""
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
        self.view = View(site, senses)
        # What there is, and what its sensors make of that.
        self.flows = Flows(pv=(0.0,) * len(self.strings))
        self.seen = self.flows
        # What the inverters in parallel with it tell that they feed.
        self.told: Phases = NOTHING
        # The share of each string's light that nothing stands in the way of.
        self.string_light: tuple[float, ...] = ()
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

    def reader(self) -> Read:
        """What makes readings of its sensors now."""
        senses = self.view.senses
        return exactly if senses is None else senses.reader(seconds_of(self.now))

    def string_voltages(self) -> list[float]:
        """The volts of each string now; a shadow takes its share of them."""
        strings = zip(self.strings, self.flows.pv, strict=True)
        return shaded((string.voltage(power) for string, power in strings), self.string_light)

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
        powers = [string.power(light) for string in self.strings]
        if self.string_light:
            powers = shaded(powers, self.string_light)
        self._sunshine = within(powers, self._orders.solar)
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
                self.flows = self._regulated(seconds, orders, around, backup)
            case Supply.GENERATOR:
                self.flows = self._on_generator(seconds, by_generator(orders), backup)
            case Supply.GENERATOR_AT_GRID:
                self.flows = self._supplied(seconds, by_generator(orders), around, backup)
            case Supply.ISLAND:
                self.flows = self._island(seconds, orders, backup)
        self.battery.flow(self.flows.battery, seconds)
        if smart_load and self.running:
            self.flows = replace(self.flows, smart_load=smart_load)

    def _regulated(self, seconds: float, orders: Orders, around: Phases, backup: Phases) -> Flows:
        """What flows when it goes by what its clamps show of the grid, itself included.

        Where they are right that does not depend on what it does itself. Else it may take a while, or run to a limit.
        """
        flows = self.flows
        for _ in range(1 if self.view.is_right else min(MAX_ROUNDS, max(1, round(seconds)))):
            before = flows.inverter
            believed = self.view.believed(around, flows.terminal)
            flows = self._supplied(seconds, orders, believed, backup)
            if abs(flows.inverter - before) <= SETTLED:
                break
        return flows

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
        standby = self.installation.standby
        served = sum(net) - port + standby
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
                least=sum(around) + sum(backup) - port + standby - orders.grid_import,
                shave=battery.most_discharge(seconds, orders.shaving_floor, orders.discharge),
                rated=rated,
            )
        )
        ac = to_ac(used + power) - standby
        output = alike(ac, self.installation.phases)
        if ac > 0 and self.supply is not Supply.GRID:
            # Nothing may flow back into a generator, on no phase.
            output = times(net, ac / sum(net))
        return self._flows(used, power, output, backup, fed)

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
        lacking = demand - fed + (0.0 if self._blackout else self.installation.standby)
        used, power = share_out(
            Task(
                sunshine=sunshine,
                need=max(0.0, lacking),
                most=max(0.0, lacking),
                surplus=max(0.0, -lacking),
                excess=max(0.0, -lacking),
                load_first=orders.load_first,
                room=room,
                give=give,
                least=lacking,
                shave=give,
                rated=rated,
            )
        )
        backup = less(backup, self._coupled(share))
        fed_phases = alike(port * share, self.installation.phases)
        # Whoever keeps the voltage gives each phase what it is asked for.
        output = less(backup, fed_phases)
        return self._flows(used, power, output, backup, fed_phases)

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
        used: float,
        power: float,
        output: Phases,
        backup: Phases,
        port: Phases,
    ) -> Flows:
        """The flows with a power from the strings and one from the battery."""
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

    def wire(self, wiring: Wiring) -> None:
        """Have its clamps somewhere else; it sees that at once, and goes by it from the next step on."""
        self.view.wiring = wiring
        self.seen = self.view.of(self.flows, self.told)

    def settle(self, seconds: float, grid: Phases, fed: Phases, solar: Phases) -> None:
        """Count what its sensors have seen flow.

        So much came through the house connection, and so much all inverters and the solar inverter have fed in.
        """
        engine, in_parallel = self.port.generator, less(fed, self.fed)
        self.flows = replace(
            self.flows,
            grid_phases=grid,
            others=add(in_parallel, solar),
            generator=sum(grid) if self.feeds_house else 0.0,
        )
        engine.step(seconds)
        self.told = in_parallel if self.view.wiring.linked else NOTHING
        self.seen = self.view.of(self.flows, self.told)
        self.counters.count(self.seen.meters(turning=engine.turning), seconds)
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
