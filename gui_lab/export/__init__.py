"""What leaves the lab: code and files that stand on their own, without the lab."""
