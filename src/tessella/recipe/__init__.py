"""What was asked (`Recipe`), what runs (`Plan`), and the planner between them. Imports no torch."""
