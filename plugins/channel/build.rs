//! The bundle must stay loaded once it is: thread-locals of the framework and of Rust's library outlive a host's
//! `dlclose` otherwise.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
