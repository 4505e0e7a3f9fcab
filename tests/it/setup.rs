//! `scripts/setup` on machines that do not exist: a folder of stand-ins is the whole PATH.
#![cfg(unix)]

use crate::repository;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Programs of every Unix that the script itself needs.
const BASICS: &[&str] = &["dirname", "sed", "sort", "head", "cut", "env", "chmod", "touch"];

/// A machine with Rust, compilers and make, without cmake, and with what a test adds.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn without_cmake(user_id: u32) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}")) };
        for name in BASICS {
            let real = ["/usr/bin", "/bin"].map(|bin| Path::new(bin).join(name)).into_iter().find(|path| path.exists());
            let real = real.unwrap_or_else(|| panic!("this machine has no {name}"));
            symlink(&real, machine.path(name)).unwrap_or_else(|e| panic!("cannot link {name}: {e}"));
        }
        machine.add("rustc", "echo 'rustc 99.0.0 (stand-in)'");
        machine.add("id", &format!("echo {user_id}"));
        for name in ["cargo", "cc", "c++", "make", "libclang.so"] {
            machine.add(name, "exit 0");
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add(&self, name: &str, body: &str) {
        fs::write(self.path(name), format!("#!/bin/sh\n{body}\n")).unwrap_or_else(|e| panic!("cannot write {name}: {e}"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap_or_else(|e| panic!("cannot set {name}: {e}"));
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap_or_else(|e| panic!("cannot remove {name}: {e}"));
    }

    fn setup(&self) -> (Option<i32>, String) {
        let folder = self.folder.path();
        let mut command = Command::new("/bin/sh");
        command.arg(repository::root().join("scripts/setup")).env_clear();
        command.env("PATH", folder).env("HOME", folder).env("LIBCLANG_PATH", folder);
        let output: Output = command.output().unwrap_or_else(|e| panic!("scripts/setup did not start: {e}"));
        (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }
}

/// The script stops with 1, and its words contain each of `parts`.
fn stops(machine: &Machine, parts: &[&str]) {
    let (code, said) = machine.setup();
    assert_eq!(code, Some(1), "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
}

#[test]
fn without_apt_the_packages_are_named_for_every_system() {
    let machine = Machine::without_cmake(0);
    let commands = ["apt-get install -y cmake\n", "dnf install -y cmake\n", "pacman -S --needed cmake\n", "brew install cmake\n"];
    stops(&machine, &[&["no apt-get", "missing: cmake\n"][..], &commands].concat());

    machine.remove("c++");
    let commands = ["apt-get install -y g++ cmake\n", "dnf install -y gcc-c++ cmake\n", "pacman -S --needed gcc cmake\n"];
    stops(&machine, &[&["missing: c++ cmake\n", "xcode-select --install && brew install cmake\n"][..], &commands].concat());
}

#[test]
fn without_root_nothing_is_installed() {
    let machine = Machine::without_cmake(1000);
    machine.add("apt-get", "touch \"$HOME/called\"");
    stops(&machine, &["not root", "missing: cmake\n"]);
    machine.add("sudo", "exit 1");
    stops(&machine, &["not root", "missing: cmake\n"]);
    assert!(!machine.path("called").exists(), "apt-get was called");
}

#[test]
fn apt_installs_what_is_missing_as_root_and_through_sudo() {
    let install =
        "case \"$*\" in *install*cmake) printf '#!/bin/sh\\necho cmake version 3' >\"$HOME/cmake\"; chmod +x \"$HOME/cmake\";; esac";
    for user_id in [0, 1000] {
        let machine = Machine::without_cmake(user_id);
        machine.add("apt-get", install);
        machine.add("sudo", "shift\nif [ \"$1\" = true ]; then exit 0; fi\nexec \"$@\"");
        let (code, said) = machine.setup();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("installing with apt-get: cmake") && said.contains("all there"), "{said}");
        // The second run has nothing to do and does not call apt-get.
        machine.add("apt-get", "exit 9");
        assert_eq!(machine.setup().0, Some(0));
    }
}

#[test]
fn a_failed_installation_says_what_to_do() {
    let machine = Machine::without_cmake(0);
    machine.add("apt-get", "exit 100");
    stops(&machine, &["apt-get could not install", "missing: cmake\n"]);
    machine.add("apt-get", "exit 0");
    stops(&machine, &["still not found", "missing: cmake\n"]);
}

#[test]
fn rust_and_libclang_path_are_checked() {
    let machine = Machine::without_cmake(0);
    machine.remove("libclang.so");
    stops(&machine, &["LIBCLANG_PATH"]);
    machine.add("rustc", "echo 'rustc 1.9.0 (stand-in)'");
    stops(&machine, &["rustc is 1.9.0", "rustup update stable"]);
    machine.remove("rustc");
    stops(&machine, &["rustup.rs"]);
}
