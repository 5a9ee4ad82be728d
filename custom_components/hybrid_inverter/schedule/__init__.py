"""The inverter's schedule in Home Assistant: calendar, sensors, days and actions."""
