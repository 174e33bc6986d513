#![cfg_attr(fuzzing, no_main)]
//! The target `stored_row` for libFuzzer.

sakms_fuzz::fuzz!(stored_row);
