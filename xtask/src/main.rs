//! The one door to everything that is done with this workspace: `cargo xtask`.

fn main() -> anyhow::Result<()> {
    nice_plug_xtask::main()
}
