#!/usr/bin/env python3
# Stands in for Wav2Lip's program: checks how it is called, and writes a video made from the face's.
import argparse, os, subprocess, sys
assert os.path.basename(os.getcwd()) == 'Wav2Lip', os.getcwd()
assert 'SECRET' not in os.environ and 'DATABASE_URL' not in os.environ, 'environment'
parser = argparse.ArgumentParser()
for name in ('checkpoint_path', 'face', 'audio', 'outfile'):
    parser.add_argument('--' + name, required=True)
parser.add_argument('--pads', nargs=4, type=int, required=True)
args = parser.parse_args()
assert args.pads == [1, 20, 3, 4], args.pads
assert open(args.checkpoint_path).read() == 'weights'
assert subprocess.check_output(['ffprobe', '-v', 'error', '-show_entries', 'stream=codec_name,channels,sample_rate', '-of', 'csv=p=0', args.audio]).decode().strip() == 'pcm_s16le,48000,1'
mode = open('mode').read().strip()
if mode == 'face':
    raise ValueError('Face not detected! Ensure the video contains a face in all the frames.')
if mode == 'fail':
    raise RuntimeError('CUDA out of memory')
if mode == 'hang':
    open('pid', 'w').write(str(os.getpid()))
    import time; time.sleep(600)
if mode == 'nothing':
    sys.exit(0)
subprocess.check_call(['ffmpeg', '-v', 'error', '-y', '-i', args.face, '-i', args.audio, '-vf', 'negate', '-c:v', 'libx264', '-crf', '12', '-pix_fmt', 'yuv420p', '-shortest', args.outfile])
