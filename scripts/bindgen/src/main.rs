//! Makes the JavaScript that a compiled Worker is loaded with. Takes those
//! options of the official `wasm-bindgen` that worker-build passes.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wasm-bindgen: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.omit_default_module_path(false);
    let mut folder = None;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--debug" => drop(bindgen.debug(true)),
            "--experimental-reset-state-function" => drop(bindgen.reset_state_function(true)),
            "--force-enable-abort-handler" => drop(bindgen.force_enable_abort_handler(true)),
            "--no-demangle" => drop(bindgen.demangle(false)),
            "--no-typescript" => drop(bindgen.typescript(false)),
            "--out-dir" => folder = Some(value()?),
            "--out-name" => drop(bindgen.out_name(&value()?)),
            "--target" => match value()?.as_str() {
                "module" => drop(bindgen.module(true).map_err(|error| error.to_string())?),
                other => return Err(format!("the target {other} is not supported")),
            },
            option if option.starts_with('-') => {
                return Err(format!("the option {option} is not supported"));
            }
            input => drop(bindgen.input_path(input)),
        }
    }
    let folder = folder.ok_or("--out-dir is missing")?;
    bindgen
        .generate(folder)
        .map_err(|error| format!("{error:?}"))
}
