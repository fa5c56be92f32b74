//! Small copies of the images of other sites: decodes an image, turns it upright, shrinks it, and encodes it
//! again, so that nothing of the original but its pixels is passed on. Pure.
//!
//! JPEG, PNG, GIF and WebP are read; of an animation the first picture. SVG is not an image here: it can contain
//! scripts. The dimensions in the head of a file are checked before its pixels take memory.

/// Whether this program can read images; without the feature `images`, it cannot.
pub const AVAILABLE: bool = cfg!(feature = "images");

/// The format of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG, for photographs.
    Jpeg,
    /// PNG, for drawings and images that are transparent.
    Png,
}

impl ImageFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Jpeg, Self::Png];

    /// The extension of file names.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The media type for `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// A copy of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageCopy {
    /// The encoded image, a complete file.
    pub bytes: Vec<u8>,
    /// Format of `bytes`.
    pub format: ImageFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The copies of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageCopies {
    /// For the text of a story: at most 1280 pixels wide and 2560 high.
    pub full: ImageCopy,
    /// For lists: at most 480 pixels wide and high; `None`: the other one is as small.
    pub thumbnail: Option<ImageCopy>,
}

/// The reason why an image has no copies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It is not in a format that is read.
    #[error("the file is not a JPEG, PNG, GIF or WebP image")]
    UnknownFormat,
    /// It has more pixels than are decoded.
    #[error("the image has {width} × {height} pixels, which are too many")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The bytes are not an image of a known format.
    #[error("cannot decode the image: {0}")]
    Damaged(String),
    /// This program was built without the feature `images`.
    #[error("this program was built without the feature 'images'")]
    NotBuilt,
}

/// Makes the copies of an image.
///
/// # Errors
/// When the file is not an image that can be read.
#[cfg(not(feature = "images"))]
pub fn copies(_file: &[u8]) -> Result<ImageCopies, ImageError> {
    Err(ImageError::NotBuilt)
}

#[cfg(feature = "images")]
pub use decoding::copies;

#[cfg(feature = "images")]
mod decoding {
    use std::io::Cursor;

    use image::codecs::jpeg::JpegEncoder;
    use image::imageops::FilterType;
    use image::metadata::Orientation;
    use image::{DynamicImage, ImageDecoder as _, ImageReader, Limits};

    use super::{ImageCopies, ImageCopy, ImageError, ImageFormat};

    /// Largest width and height of the copy for the text.
    const FULL: (u32, u32) = (1280, 2560);
    /// Largest width and height of the copy for lists.
    const THUMBNAIL: (u32, u32) = (480, 480);
    /// Largest width and height that are decoded.
    const MAX_SIDE: u32 = 16_384;
    /// Most memory for the pixels of an image, in bytes: 22 million pixels without transparency.
    const MAX_PIXELS: u64 = 64 << 20;
    /// Most memory that a decoder may allocate, in bytes.
    const MAX_MEMORY: u64 = 96 << 20;
    /// Quality of JPEG, 1 to 100.
    const QUALITY: u8 = 80;
    /// Width and height to which a large image is reduced first, by a method that needs no memory beside the result.
    const COARSE: u32 = 3_000;

    /// Makes the copies of an image.
    ///
    /// # Errors
    /// When the file is not an image that can be read.
    pub fn copies(file: &[u8]) -> Result<ImageCopies, ImageError> {
        let upright = decode(file)?;
        let full = fitted(&upright, FULL);
        let thumbnail = match full.width() > THUMBNAIL.0 || full.height() > THUMBNAIL.1 {
            true => Some(encode(&fitted(&full, THUMBNAIL))?),
            false => None,
        };
        Ok(ImageCopies { full: encode(&full)?, thumbnail })
    }

    /// The pixels of an image of bounded size, upright.
    fn decode(file: &[u8]) -> Result<DynamicImage, ImageError> {
        let format = image::guess_format(file).map_err(|_| ImageError::UnknownFormat)?;
        let mut reader = ImageReader::with_format(Cursor::new(file), format);
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MAX_MEMORY);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|error| failure(&error))?;
        let (width, height) = decoder.dimensions();
        if decoder.total_bytes() > MAX_PIXELS {
            return Err(ImageError::TooLarge { width, height });
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| failure(&error))?;
        if width.max(height) > COARSE {
            image = image.thumbnail(COARSE, COARSE);
        }
        image.apply_orientation(orientation);
        Ok(image)
    }

    fn failure(error: &image::ImageError) -> ImageError {
        match error {
            image::ImageError::Unsupported(_) => ImageError::UnknownFormat,
            error => ImageError::Damaged(error.to_string()),
        }
    }

    /// The image, reduced to this width and height; never enlarged.
    fn fitted(image: &DynamicImage, (width, height): (u32, u32)) -> DynamicImage {
        match image.width() > width || image.height() > height {
            true => image.resize(width, height, FilterType::Triangle),
            false => image.clone(),
        }
    }

    /// The smaller one of JPEG and PNG, and always PNG for what is transparent.
    fn encode(image: &DynamicImage) -> Result<ImageCopy, ImageError> {
        let (width, height) = (image.width(), image.height());
        let copy = |format, bytes| ImageCopy { bytes, format, width, height };
        let png = |image: DynamicImage| {
            let mut bytes = Cursor::new(Vec::new());
            let written = image.write_to(&mut bytes, image::ImageFormat::Png);
            written.map_err(|error| failure(&error))?;
            Ok(copy(ImageFormat::Png, bytes.into_inner()))
        };
        if image.color().has_alpha() {
            let rgba = image.to_rgba8();
            if rgba.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
                return png(rgba.into());
            }
        }
        let rgb = DynamicImage::from(image.to_rgb8());
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        rgb.write_with_encoder(encoder).map_err(|error| failure(&error))?;
        let jpeg = copy(ImageFormat::Jpeg, bytes);
        let png = png(rgb)?;
        Ok(if png.bytes.len() < jpeg.bytes.len() { png } else { jpeg })
    }
}

#[cfg(all(test, feature = "images"))]
mod tests {
    use std::io::Cursor;

    use image::codecs::jpeg::JpegEncoder;
    use image::{DynamicImage, ImageFormat as Kind, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    /// An image that no encoder can compress to nothing.
    fn photograph(width: u32, height: u32) -> DynamicImage {
        let mut noise = 7_u32;
        RgbImage::from_fn(width, height, |x, y| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let level = |part: u32| ((x * 3 + y * part + (noise >> 27)) % 256) as u8;
            Rgb([level(1), level(2), level(5)])
        })
        .into()
    }

    fn file(image: &DynamicImage, kind: Kind) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, kind).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_becomes_two_small_copies() {
        let image = photograph(1600, 400);
        for kind in [Kind::Jpeg, Kind::Png, Kind::Gif, Kind::WebP] {
            let ImageCopies { full, thumbnail } = copies(&file(&image, kind)).unwrap();
            assert_eq!((full.format, full.width, full.height), (ImageFormat::Jpeg, 1280, 320));
            let thumbnail = thumbnail.unwrap();
            assert_eq!((thumbnail.width, thumbnail.height), (480, 120), "{kind:?}");
            let read = image::load_from_memory(&full.bytes).unwrap();
            assert_eq!((read.width(), read.height()), (1280, 320));
        }
    }

    #[test]
    fn a_small_image_keeps_its_size_and_has_one_copy() {
        let ImageCopies { full, thumbnail } =
            copies(&file(&photograph(300, 200), Kind::Png)).unwrap();
        assert_eq!((full.width, full.height, thumbnail), (300, 200, None));
    }

    #[test]
    fn what_is_transparent_stays_transparent() {
        let image = RgbaImage::from_fn(64, 64, |x, _| Rgba([9, 9, 9, (x * 4) as u8]));
        let copy = copies(&file(&image.into(), Kind::Png)).unwrap().full;
        assert_eq!(copy.format, ImageFormat::Png);
        let read = image::load_from_memory(&copy.bytes).unwrap().to_rgba8();
        assert_eq!((read.get_pixel(0, 0).0[3], read.get_pixel(63, 0).0[3]), (0, 252));
    }

    #[test]
    fn metadata_is_removed_and_the_orientation_applied() {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
        // TIFF, one entry: orientation 6, which means: turn right. Then a comment.
        let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        exif.extend(b"taken at 52.1 N 13.2 E");
        image::ImageEncoder::set_exif_metadata(&mut encoder, exif).unwrap();
        photograph(200, 100).write_with_encoder(encoder).unwrap();
        let holds = |bytes: &[u8]| bytes.windows(6).any(|part| part == b"52.1 N");
        assert!(holds(&bytes));
        let copy = copies(&bytes).unwrap().full;
        assert_eq!((copy.width, copy.height), (100, 200));
        assert!(!holds(&copy.bytes));
    }

    #[test]
    fn an_image_that_would_fill_the_memory_is_refused() {
        // The head of a PNG of 16000 × 16000 pixels, whose check sum is right.
        let mut bomb = file(&photograph(1, 1), Kind::Png);
        bomb[16..20].copy_from_slice(&16_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&16_000_u32.to_be_bytes());
        let sum = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(copies(&bomb), Err(ImageError::TooLarge { width: 16_000, height: 16_000 }));
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        let sum = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        assert!(matches!(copies(&bomb), Err(ImageError::Damaged(_))));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let step = |sum: u32, byte: &u8| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 }
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>x()</script></svg>";
        for file in [&b""[..], b"<!doctype html><p>no", svg, b"BM\0\0\0\0", b"\0\0\x01\0"] {
            assert_eq!(copies(file), Err(ImageError::UnknownFormat));
        }
        let mut cut = file(&photograph(300, 200), Kind::Png);
        cut.truncate(cut.len() / 2);
        assert!(matches!(copies(&cut), Err(ImageError::Damaged(_))));
    }
}
