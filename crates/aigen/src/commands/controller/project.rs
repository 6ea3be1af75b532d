//! A controller's project: a folder with its source, its manifest and a copy of the SDK.

mod c;

use crate::failure::{OrHint, hinted};
use crate::output::Output;
use aigen_types::Slug;
use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";
/// What a build makes.
const BUILT: &str = "controller.wasm";
/// What is published with it.
const MANIFEST: &str = "controller.toml";
/// Without the outside, which the bindings of these languages would import with everything else.
const WORLD: &str = "closed-controller";

/// What a controller is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// 30 kB
    Rust,
    /// 18 MB with its interpreter
    Python,
    /// 1.7 MB with its interpreter
    Js,
    /// 14 kB
    C,
}

/// A file of a new project: its name and what is in it.
type Template = (&'static str, &'static str);

/// A file of this repository, under its name in a new project.
macro_rules! file {
    ($name:literal from $path:literal) => {
        ($name, include_str!(concat!("../../../../../", $path)))
    };
}

const SHARED: [Template; 2] = [
    file!("wit/controller.wit" from "wit/controller.wit"),
    (
        "traces/answers.trace",
        "# What the model wants to say, likeliest first, and what becomes of it.\n\
         words yes no maybe\nprompt Is 7 prime?\nmodel maybe | yes\ntext yes\n",
    ),
];

const RUST: [Template; 5] = [
    file!("src/lib.rs" from "controllers/yes-no/src/lib.rs"),
    file!("sdk/controller-rust/Cargo.toml" from "sdk/controller-rust/Cargo.toml"),
    file!("sdk/controller-rust/src/lib.rs" from "sdk/controller-rust/src/lib.rs"),
    file!("sdk/controller-rust/src/segment.rs" from "sdk/controller-rust/src/segment.rs"),
    (".gitignore", "/target\n/controller.wasm\n"),
];

const PYTHON: [Template; 4] = [
    file!("app.py" from "controllers/yes-no-python/app.py"),
    file!("sdk/controller-python/controller.py" from "sdk/controller-python/controller.py"),
    file!("sdk/controller-python/aigen_controller.py" from "sdk/controller-python/aigen_controller.py"),
    (".gitignore", "__pycache__\n/.venv\n/controller.wasm\n"),
];

const JS: [Template; 2] = [
    file!("sdk/controller-js/aigen-controller.js" from "sdk/controller-js/aigen-controller.js"),
    (".gitignore", "/node_modules\n/controller.wasm\n"),
];

const C: [Template; 8] = [
    file!("controller.c" from "controllers/yes-no-c/controller.c"),
    file!("sdk/controller-c/aigen_controller.h" from "sdk/controller-c/aigen_controller.h"),
    file!("sdk/controller-c/aigen_controller.c" from "sdk/controller-c/aigen_controller.c"),
    file!("sdk/controller-c/libc/libc.c" from "sdk/controller-c/libc/libc.c"),
    file!("sdk/controller-c/libc/stdlib.h" from "sdk/controller-c/libc/stdlib.h"),
    file!("sdk/controller-c/libc/string.h" from "sdk/controller-c/libc/string.h"),
    // What editors read of how it is compiled.
    ("compile_flags.txt", c::FLAGS),
    (".gitignore", "/bindings\n/controller.wasm\n"),
];

/// A folder that is one.
pub struct Project {
    folder: PathBuf,
    language: Language,
}

impl Project {
    /// The project in this folder.
    ///
    /// # Errors
    /// A folder without a controller in it.
    pub fn open(folder: &Path) -> Result<Self> {
        let languages = [
            ("Cargo.toml", Language::Rust),
            ("app.py", Language::Python),
            ("controller.js", Language::Js),
            ("controller.c", Language::C),
        ];
        let found = languages
            .into_iter()
            .find(|(file, _)| folder.join(file).exists());
        let (_, language) = found.ok_or_else(|| {
            hinted(
                format!("there is no controller in {}", folder.display()),
                "`aigen controller new NAME --lang rust` begins one",
            )
        })?;
        let folder = folder.to_owned();
        Ok(Self { folder, language })
    }

    /// Begins one, which answers yes or no.
    ///
    /// # Errors
    /// A folder that is there already, or cannot be made.
    pub fn create(folder: &Path, language: Language) -> Result<Self> {
        let name = folder.file_name().and_then(|name| name.to_str());
        let name = name.context("the folder's name is the controller's")?;
        ensure!(
            name.parse::<Slug>().is_ok(),
            hinted(
                format!("{name:?} cannot be the name of a controller"),
                "name the folder with lower-case letters, digits and dashes, like yes-no",
            )
        );
        ensure!(
            !folder.exists(),
            hinted(
                format!("{} is there already", folder.display()),
                "choose another name"
            )
        );
        let mut files: Vec<(&str, String)> = templates(language)
            .iter()
            .chain(&SHARED)
            .map(|(file, text)| (*file, (*text).to_owned()))
            .collect();
        files.push((MANIFEST, manifest(language)));
        match language {
            Language::Rust => files.push(("Cargo.toml", cargo_toml(name))),
            Language::Js => files.push(("controller.js", controller_js())),
            Language::Python | Language::C => {}
        }
        for (file, text) in files {
            write(&folder.join(file), &text)?;
        }
        let project = Self::open(folder)?;
        if language == Language::C {
            // So that an editor finds them before the first build.
            project.write_bindings()?;
        }
        Ok(project)
    }

    /// Its manifest, where it has one.
    pub fn manifest(&self) -> Option<PathBuf> {
        Some(self.folder.join(MANIFEST)).filter(|path| path.exists())
    }

    /// The folder of its traces.
    pub fn traces(&self) -> PathBuf {
        self.folder.join("traces")
    }

    /// Builds it, and gives the file of its component.
    ///
    /// # Errors
    /// A toolchain that is missing, or what it says of the source.
    pub fn build(&self, output: &Output) -> Result<PathBuf> {
        // An interpreter takes half a minute to be put into a component.
        let bar = output.waiting(format!("building {}", self.folder.display()));
        let built = match self.language {
            Language::Rust => self.build_rust(),
            Language::Python => self.build_python(),
            Language::Js => self.build_js(),
            Language::C => self.build_c(),
        };
        bar.finish_and_clear();
        built.map(|()| self.folder.join(BUILT))
    }

    fn build_rust(&self) -> Result<()> {
        let module = self.build_crate()?;
        let copied = fs::copy(&module, self.folder.join(BUILT)).map(drop);
        copied.with_context(|| module.display().to_string())
    }

    /// The module that cargo made.
    fn build_crate(&self) -> Result<PathBuf> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--target", TARGET])
            .arg("--message-format=json-render-diagnostics")
            // Meant for whoever runs this program, as cargo does in its tests.
            .env_remove("RUSTFLAGS");
        let said = self.run(
            cargo,
            &format!("install Rust, then: rustup target add {TARGET}"),
        )?;
        let messages = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut modules = messages.filter_map(|message: Value| {
            let files = message["filenames"].as_array()?.iter();
            let mut names = files.filter_map(|file| file.as_str().map(PathBuf::from));
            names.find(|file| {
                file.extension()
                    .is_some_and(|extension| extension == "wasm")
            })
        });
        modules.next_back().ok_or_else(|| {
            hinted(
                "cargo built no module",
                "the crate's Cargo.toml needs `[lib] crate-type = [\"cdylib\"]`",
            )
        })
    }

    fn build_python(&self) -> Result<()> {
        let mut tool = Command::new(tool(
            "AIGEN_COMPONENTIZE_PY",
            "componentize-py",
            &self.folder,
        ));
        tool.args(["-d", "wit", "-w", WORLD, "componentize", "--stub-wasi"])
            .args(["-p", ".", "-p", "sdk/controller-python"])
            .args(["app", "-o", BUILT]);
        let hint = "python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1";
        self.run(tool, hint).map(drop)
    }

    fn build_js(&self) -> Result<()> {
        let mut tool = Command::new(tool(
            "AIGEN_COMPONENTIZE_QJS",
            "componentize-qjs",
            &self.folder,
        ));
        tool.args(["--wit", "wit", "--world", WORLD, "--js", "controller.js"])
            .args(["--module-root", ".", "--stub-wasi", "--sync"])
            .args(["--output", BUILT]);
        self.run(tool, "npm install componentize-qjs@0.4.5")
            .map(drop)
    }

    /// Runs a tool in the folder; what it said on stdout.
    fn run(&self, mut tool: Command, hint: &str) -> Result<String> {
        let name = tool.get_program().to_string_lossy().into_owned();
        tool.current_dir(&self.folder).stdin(Stdio::null());
        let output = tool
            .stderr(Stdio::piped())
            .output()
            .or_hint(format!("{name} could not be started"), hint)?;
        let complained = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            // A tool that runs and lacks a part of itself says that it cannot find it.
            // The last two are clang's, without its linker or built without WebAssembly.
            let lacking = [
                "can't find crate for `core`",
                "target may not be installed",
                "Executable \"wasm-ld\" doesn't exist",
                "No available targets are compatible",
            ];
            let lacks = lacking.iter().any(|lacking| complained.contains(lacking));
            let hint = if lacks {
                hint
            } else {
                "correct the source and build again"
            };
            let said = said_of_failure(&complained);
            return Err(hinted(
                format!("{name} did not build the controller:\n{said}"),
                hint,
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// What a tool says of the source, without the backtrace of its own that may follow.
fn said_of_failure(complained: &str) -> String {
    let own = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("Stack backtrace:") || line.starts_with("stack backtrace:")
    };
    let lines: Vec<_> = complained.trim_end().lines().collect();
    let end = lines.iter().position(own).unwrap_or(lines.len());
    let kept = lines[..end].join("\n");
    kept.trim_end().to_owned()
}

/// A program of this name: what the variable says, or the project's own, or whatever is found.
fn tool(variable: &str, name: &str, folder: &Path) -> PathBuf {
    if let Some(named) = std::env::var_os(variable) {
        return named.into();
    }
    let own = [".venv/bin", "node_modules/.bin"].map(|bin| folder.join(bin).join(name));
    let own = own.into_iter().find(|path| path.exists());
    own.and_then(|path| path.canonicalize().ok())
        .unwrap_or_else(|| name.into())
}

fn templates(language: Language) -> &'static [Template] {
    match language {
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::Js => &JS,
        Language::C => &C,
    }
}

fn manifest(language: Language) -> String {
    // An interpreter needs more memory, and more to begin with.
    let memory = match language {
        Language::Rust | Language::C => "",
        Language::Python | Language::Js => "\n[limits]\nmemory_mib = 128\n",
    };
    format!(
        "description = \"Answers yes or no\"\nlicence = \"MIT\"\n\n\
         # JSON Schema of what a call may give it in `aigen.params`.\n\
         [parameters]\ntype = \"object\"\nadditionalProperties = false\n{memory}"
    )
}

fn cargo_toml(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\naigen-controller = {{ path = \"sdk/controller-rust\" }}\n\n\
         # Built for another target than whatever is around it.\n\
         [workspace]\nexclude = [\"sdk\"]\n\n\
         # A small component compiles fast, and opens fast.\n\
         [profile.release]\nopt-level = \"s\"\nlto = true\ncodegen-units = 1\n\
         panic = \"abort\"\nstrip = true\n"
    )
}

/// The example, whose SDK is elsewhere there.
fn controller_js() -> String {
    let (_, example) = file!("" from "controllers/yes-no-js/controller.js");
    example.replace("../../sdk/", "./sdk/")
}

fn write(path: &Path, text: &str) -> Result<()> {
    let made = || -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    };
    made().or_hint(
        format!("cannot write {}", path.display()),
        "name a folder that can be made",
    )
}
