#![cfg_attr(fuzzing, no_main)]
//! The target `body` for libFuzzer.

sakms_fuzz::fuzz!(body);
