import sharp, { type Metadata, type OverlayOptions, type Sharp } from 'sharp';

interface Size {
  width: number;
  height: number;
}

/** Largest enlargement of a small picture; beyond it there is nothing to be seen but blur. */
const mostEnlarged = 2.5;
/** Largest part of a picture that may be cut off to fill a frame. */
const mostLost = 0.4;

export interface InsetRequest {
  /** Size of the picture to make. */
  canvas: Size;
  /** Text stands on the right. */
  mirrored: boolean;
  /** Part of the height below which no text stands. */
  textBottom: number;
  captionsBurned: boolean;
  isLandscape: boolean;
}

/**
 * Where a picture is shown whole instead of filling the canvas, in pixels: beside the text of a wide frame, below that
 * of a tall one. Undefined for a picture that fills the canvas well, and where the text leaves no room.
 */
export function insetBox(
  picture: Pick<Metadata, 'autoOrient' | 'hasAlpha'>,
  request: InsetRequest,
): (Size & { left: number; top: number }) | undefined {
  const { canvas, mirrored, textBottom, captionsBurned, isLandscape } = request;
  const { width, height } = picture.autoOrient;
  const scale = Math.max(canvas.width / width, canvas.height / height);
  const lost = 1 - (canvas.width * canvas.height) / (width * height * scale ** 2);
  if (!picture.hasAlpha && scale <= mostEnlarged && lost <= mostLost) return undefined;
  const bottom = captionsBurned ? 0.75 : 0.88;
  // The frame shows a little less than the canvas when it moves, so that the edges are kept clear.
  const place = isLandscape
    ? { left: mirrored ? 0.06 : 0.67, right: mirrored ? 0.33 : 0.94, top: 0.1, bottom }
    : { left: 0.1, right: 0.9, top: textBottom + 0.05, bottom };
  if (place.bottom - place.top < 0.15) return undefined;
  return {
    left: Math.round(place.left * canvas.width),
    top: Math.round(place.top * canvas.height),
    width: Math.round((place.right - place.left) * canvas.width),
    height: Math.round((place.bottom - place.top) * canvas.height),
  };
}

/** The picture's own colours without its shapes, for behind it. */
export async function blurredFill(picture: Sharp, canvas: Size): Promise<Sharp> {
  const width = 128;
  const height = Math.max(8, Math.round((width * canvas.height) / canvas.width));
  const small = await picture
    .clone()
    .flatten({ background: '#808080' })
    .resize(width, height, { fit: 'cover' })
    .blur(6)
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { channels } = small.info;
  return sharp(small.data, { raw: { width, height, channels } }).resize(canvas.width, canvas.height, {
    kernel: 'cubic',
    fit: 'fill',
  });
}

/** The whole picture in the middle of its box, with round corners; one with alpha on a plate that it stands out from. */
export async function drawInset(
  picture: Sharp,
  hasAlpha: boolean,
  box: Size & { left: number; top: number },
): Promise<OverlayOptions> {
  const { width: fullWidth, height: fullHeight } = (await picture.clone().metadata()).autoOrient;
  const margin = hasAlpha ? Math.round(Math.min(box.width, box.height) * 0.08) : 0;
  const scale = Math.min(
    (box.width - 2 * margin) / fullWidth,
    (box.height - 2 * margin) / fullHeight,
    mostEnlarged,
  );
  const size = {
    width: Math.max(1, Math.round(fullWidth * scale)),
    height: Math.max(1, Math.round(fullHeight * scale)),
  };
  let shown = picture.clone().resize(size.width, size.height, { fit: 'fill' }).toColourspace('srgb');
  const { width, height } = { width: size.width + 2 * margin, height: size.height + 2 * margin };
  if (hasAlpha) {
    const plate = (await isLight(shown)) ? '#15181f' : '#ffffff';
    const background = plate;
    const inner = await shown.png().toBuffer();
    shown = sharp({ create: { width, height, channels: 4, background } }).composite([{ input: inner }]);
  }
  const radius = Math.round(Math.min(width, height) * 0.04);
  const corners = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="${width}" height="${height}" rx="${radius}"/></svg>`;
  const flat = await shown.ensureAlpha().png().toBuffer();
  const input = await sharp(flat)
    .composite([{ input: Buffer.from(corners), blend: 'dest-in' }])
    .png()
    .toBuffer();
  return {
    input,
    left: box.left + Math.round((box.width - width) / 2),
    top: box.top + Math.round((box.height - height) / 2),
  };
}

/** Whether what can be seen of a picture with alpha is light rather than dark. */
async function isLight(picture: Sharp): Promise<boolean> {
  const side = 32;
  const data = await picture.clone().resize(side, side, { fit: 'fill' }).ensureAlpha().raw().toBuffer();
  let [weight, sum] = [0, 0];
  for (let at = 0; at + 3 < data.length; at += 4) {
    const alpha = data[at + 3] ?? 0;
    weight += alpha;
    sum += alpha * (0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + 1] ?? 0) + 0.0722 * (data[at + 2] ?? 0));
  }
  return weight > 0 && sum / weight > 170;
}
