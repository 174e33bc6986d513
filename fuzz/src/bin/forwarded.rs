#![cfg_attr(fuzzing, no_main)]
//! The target `forwarded` for libFuzzer.

sakms_fuzz::fuzz!(forwarded);
