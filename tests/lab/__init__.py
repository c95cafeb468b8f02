"""What the tests, the benchmarks and the demo start and stop: private MTAs, DNS servers, milters, a browser."""
