import type { Theme } from '../../../../workflows/contract/options.js';
import { aurora } from './aurora.js';
import { midnight } from './midnight.js';
import { paper } from './paper.js';
import type { ThemeDesign } from './theme-design.js';

export const themeDesigns: Record<Theme, ThemeDesign> = { midnight, paper, aurora };
