"""The parts of the planner: its limit, its single choices, the network, and the reasons it gives."""
