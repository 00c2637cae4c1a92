//! Colours, text and measures: everything that gives the product its face.

use egui::epaint::text::VariationCoords;
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align2, Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Galley, Margin, Painter,
    Pos2, Rect, Shadow, Stroke, TextStyle, Visuals,
};
use std::sync::Arc;

/// Behind everything.
pub const BACKGROUND: Color32 = Color32::from_rgb(0x15, 0x17, 0x1a);
/// The bar at the top and the rails at the sides.
pub const FRAME: Color32 = Color32::from_rgb(0x1a, 0x1c, 0x20);
/// A section.
pub const PANEL: Color32 = Color32::from_rgb(0x1e, 0x21, 0x26);
/// What can be pressed.
pub const RAISED: Color32 = Color32::from_rgb(0x2a, 0x2e, 0x35);
/// What can be pressed, with the pointer over it.
pub const RAISED_HOVER: Color32 = Color32::from_rgb(0x34, 0x39, 0x41);
/// Where something is measured, drawn or typed.
pub const WELL: Color32 = Color32::from_rgb(0x10, 0x12, 0x14);
/// Lines that separate.
pub const LINE: Color32 = Color32::from_rgb(0x2d, 0x31, 0x38);
/// Lines of a plot's grid.
pub const GRID: Color32 = Color32::from_rgb(0x1f, 0x22, 0x27);
/// The part of a knob's arc that is not lit.
pub const TRACK: Color32 = Color32::from_rgb(0x36, 0x3b, 0x43);
/// Values and names.
pub const TEXT: Color32 = Color32::from_rgb(0xe4, 0xe7, 0xeb);
/// Labels.
pub const TEXT_SOFT: Color32 = Color32::from_rgb(0x9c, 0xa4, 0xaf);
/// Scales, units, and what is off.
pub const TEXT_FAINT: Color32 = Color32::from_rgb(0x6b, 0x73, 0x7e);
/// Something wants attention: bypass, a control that restarts the audio.
pub const NOTICE: Color32 = Color32::from_rgb(0xe5, 0xb0, 0x5c);
/// Something is wrong: over full scale, text that says no value.
pub const ALERT: Color32 = Color32::from_rgb(0xe8, 0x5d, 0x5d);
/// A level with headroom.
pub const LEVEL_LOW: Color32 = Color32::from_rgb(0x3f, 0xa3, 0x8c);
/// A level near the top of where it should be.
pub const LEVEL_HIGH: Color32 = Color32::from_rgb(0xe0, 0xb8, 0x58);
/// The accent of both ends of a chain and of sections that nobody designed a place for.
pub const NEUTRAL: Color32 = Color32::from_rgb(0xa9, 0xb7, 0xc6);

/// Scales and footnotes.
pub const TINY: f32 = 9.5;
/// Labels.
pub const SMALL: f32 = 11.0;
/// Values.
pub const BODY: f32 = 12.0;
/// Names of sections.
pub const TITLE: f32 = 13.5;

/// The step of the grid that everything is aligned to, in points.
pub const STEP: f32 = 8.0;
/// Corners of panels.
pub const PANEL_RADIUS: u8 = 6;
/// Corners of what can be pressed.
pub const SMALL_RADIUS: u8 = 4;

/// The accent of a section, by the key of its group.
#[must_use]
pub fn accent(key: &str) -> Color32 {
    let [r, g, b] = match key {
        "gate" | "expander" => [0x6c, 0xc0, 0x8b],
        "eq" | "equalizer" => [0xe8, 0xb4, 0x4e],
        "compressor" => [0x5b, 0xa8, 0xea],
        "multiband" => [0x4d, 0xbc, 0xcb],
        "saturation" | "warmth" => [0xe8, 0x82, 0x5a],
        "panner" | "pan" | "stereo" | "width" => [0xa9, 0x8d, 0xee],
        "delay" => [0x55, 0xc3, 0xb4],
        "reverb" => [0x7d, 0x97, 0xf2],
        "limiter" | "maximizer" => [0xec, 0x70, 0x79],
        "meter" | "loudness" | "metering" => [0x86, 0xc9, 0x72],
        "dither" => [0xc3, 0xab, 0x86],
        "audition" => [0x8f, 0xb4, 0xd6],
        _ => return NEUTRAL,
    };
    Color32::from_rgb(r, g, b)
}

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// Height of the font, in points.
    pub size: f32,
    /// Weight, 400 (regular) to 700 (bold).
    pub weight: f32,
    /// Space between letters, in points.
    pub tracking: f32,
    /// Colour.
    pub color: Color32,
}

impl Ink {
    /// Plain text.
    #[must_use]
    pub const fn new(size: f32, color: Color32) -> Self {
        Ink { size, weight: 400.0, tracking: 0.0, color }
    }

    /// A little heavier: values, names.
    #[must_use]
    pub const fn medium(size: f32, color: Color32) -> Self {
        Ink { size, weight: 460.0, tracking: 0.0, color }
    }

    /// A heading.
    #[must_use]
    pub const fn strong(size: f32, color: Color32) -> Self {
        Ink { size, weight: 580.0, tracking: 0.15, color }
    }

    /// A short label in capitals.
    #[must_use]
    pub const fn capitals(size: f32, color: Color32) -> Self {
        Ink { size, weight: 560.0, tracking: 0.8, color }
    }

    /// How egui names it.
    #[must_use]
    pub fn format(&self) -> TextFormat {
        TextFormat {
            font_id: FontId::proportional(self.size),
            extra_letter_spacing: self.tracking,
            coords: VariationCoords::new([(b"wght", self.weight)]),
            color: self.color,
            ..TextFormat::default()
        }
    }
}

/// Text on one line, cut with an ellipsis where it is wider than `width`.
#[must_use]
pub fn layout(painter: &Painter, text: &str, ink: Ink, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::single_section(text.to_owned(), ink.format());
    job.wrap = TextWrapping::truncate_at_width(width);
    painter.layout_job(job)
}

/// Paints text on one line; answers where.
pub fn text(painter: &Painter, at: Pos2, anchor: Align2, text: &str, ink: Ink) -> Rect {
    text_within(painter, at, anchor, text, ink, f32::INFINITY)
}

/// Paints text on one line, cut with an ellipsis where it is wider than `width`; answers where.
pub fn text_within(painter: &Painter, at: Pos2, anchor: Align2, text: &str, ink: Ink, width: f32) -> Rect {
    let galley = layout(painter, text, ink, width);
    let rect = anchor.anchor_size(at, galley.size());
    painter.galley(rect.min, galley, ink.color);
    rect
}

/// Paints text on one line, smaller where it would be wider than `width`, and cut where even that is not enough.
pub fn text_fitted(painter: &Painter, at: Pos2, anchor: Align2, text: &str, ink: Ink, width: f32) -> Rect {
    let smaller = Ink { size: ink.size - 1.0, ..ink };
    let fits = layout(painter, text, ink, f32::INFINITY).size().x <= width;
    text_within(painter, at, anchor, text, if fits { ink } else { smaller }, width)
}

/// A hairline: one pixel wide at any zoom.
#[must_use]
pub fn hairline(painter: &Painter, color: Color32) -> Stroke {
    Stroke::new(1.0 / painter.pixels_per_point(), color)
}

/// Mixes two colours.
#[must_use]
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    a.lerp_to_gamma(b, t.clamp(0.0, 1.0))
}

/// Gives a window this face. Called once, when it opens.
pub fn install(ctx: &Context) {
    let mut fonts = FontDefinitions::default();
    fonts.font_data.insert("Inter".to_owned(), Arc::new(FontData::from_static(INTER)));
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        fonts.families.entry(family).or_default().insert(0, "Inter".to_owned());
    }
    ctx.set_fonts(fonts);
    ctx.set_theme(egui::Theme::Dark);
    ctx.options_mut(|options| {
        // the editor has a zoom of its own, and the DAW's shortcuts are the DAW's
        options.zoom_with_keyboard = false;
    });
    ctx.all_styles_mut(|style| {
        for (name, size) in [
            (TextStyle::Small, TINY),
            (TextStyle::Body, BODY),
            (TextStyle::Button, BODY),
            (TextStyle::Heading, TITLE),
            (TextStyle::Monospace, BODY),
        ] {
            style.text_styles.insert(name, FontId::proportional(size));
        }
        style.visuals = visuals();
        style.interaction.tooltip_delay = 0.6;
        style.interaction.selectable_labels = false;
        style.spacing.item_spacing = egui::vec2(STEP, 2.0);
        style.spacing.menu_margin = Margin::same(4);
        style.spacing.scroll.floating = true;
        style.animation_time = 0.08;
    });
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    visuals.override_text_color = None;
    visuals.panel_fill = BACKGROUND;
    visuals.window_fill = RAISED;
    visuals.window_stroke = Stroke::new(1.0, Color32::from_rgb(0x40, 0x46, 0x50));
    visuals.menu_corner_radius = CornerRadius::same(SMALL_RADIUS);
    visuals.window_corner_radius = CornerRadius::same(SMALL_RADIUS);
    visuals.popup_shadow = Shadow { offset: [0, 4], blur: 14, spread: 0, color: Color32::from_black_alpha(110) };
    visuals.extreme_bg_color = WELL;
    visuals.selection.bg_fill = Color32::from_rgb(0x3a, 0x4a, 0x5c);
    visuals.selection.stroke = Stroke::new(1.0, TEXT);
    for widget in [
        &mut visuals.widgets.noninteractive,
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.fg_stroke.color = TEXT;
    }
    visuals
}

/// Inter, weights 400 to 700, figures of equal width; see `fonts/OFL.txt`.
const INTER: &[u8] = include_bytes!("../fonts/Inter-subset.ttf");
