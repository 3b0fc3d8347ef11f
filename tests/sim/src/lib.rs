//! Deterministic simulator: virtual time, byte streams, faults, traces
