"""stopped.py -- camlens build as bad luck treats it

Interrupted or not, it gives the same database, and nothing is lost: killed at
random moments; with "slow" many times, and stopped, and short of room as well.
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from building import at, build, camlens, command, folder, leftovers, same, tap
import toy

slow = 'slow' in sys.argv[2:]
MANY = 400
large = toy.make_model(at('large-model'), toy.make_weights(), 384)
toy.make_pictures(at('pictures'), 5, 12)
toy.make_pictures(at('many'), 8, MANY // 8)


def kill_once(name, options, seconds):
    child = subprocess.Popen(command(name, 'many', '--resume', *options),
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
    told = child.communicate()[1].decode()
    return child.returncode, told


def check_kills(label, *options):
    started = time.monotonic()
    build(f'whole-{label}', 'many', *options)
    whole = time.monotonic() - started
    name = f'killed-{label}'
    chance = random.Random(3)
    kills, wrong = 0, []
    for _ in range(40 if slow else 4):
        status, told = kill_once(name, options, chance.uniform(0, whole))
        if status == 0:
            os.unlink(at(name))  # and from the start once more
        elif status == -signal.SIGKILL:
            kills += 1
            if os.path.exists(at(name)):
                done = subprocess.run([camlens, 'db', 'verify', at(name)],
                                      capture_output=True, check=False)
                if done.returncode:
                    wrong.append('a database that is not whole')
        else:
            wrong.append(told)
    last = build(name, 'many', '--resume', *options)
    tap.check(not wrong, f'{label}: {kills} kills at random moments', *wrong)
    tap.check(last.returncode == 0 and same(f'whole-{label}', name),
              f'{label}: the same bytes in the end', last.stderr)
    tap.check(leftovers(name) == [], f'{label}: nothing lies about',
              leftovers(name))


LONG = '--triplets', '100000'


def check_interrupt():
    child = subprocess.Popen(command('stopped', 'many', '--jobs', '1', *LONG),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
    while not os.path.exists(at('stopped.partial')):
        time.sleep(0.01)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    told = child.communicate()[1]
    tap.check(child.returncode == 1 and '--resume' in told,
              'Ctrl-C ends it in order and tells of --resume', told)
    again = build('stopped', 'many', *LONG)
    tap.check(again.returncode == 1 and '--resume' in again.stderr
              and '--restart' in again.stderr,
              'without --resume an interrupted build is not lost',
              again.stderr)
    other = build('stopped', 'many', '--resume', '--seed', '9', *LONG)
    tap.check(other.returncode == 1 and 'seed' in other.stderr,
              'another seed is not resumed', other.stderr)
    other = build('stopped', 'pictures', '--resume', *LONG)
    tap.check(other.returncode == 1 and 'pictures' in other.stderr,
              'other pictures are not resumed', other.stderr)
    done = build('stopped', 'many', '--resume', *LONG)
    tap.check(done.returncode == 0, '--resume ends it', done.stderr)
    done = build('stopped', 'many', '--resume', *LONG)
    tap.check(done.returncode == 0 and 'complete already' in done.stdout,
              'once more: it is complete already', done.stdout, done.stderr)


def choosing(name, *options, pictures='pictures'):
    """a build that chooses its layer, by a network that takes its time"""
    words = command(name, pictures, '--json', *options)
    words[words.index('-m') + 1] = large
    words[words.index('--layer') + 1] = 'auto'
    return words


def choose(name, *options, **settings):
    return subprocess.run(choosing(name, *options, **settings), text=True,
                          capture_output=True, check=False)


def trials(name):
    """{(picture, layer): (insertion, deletion)} that a stopped build kept"""
    try:
        with sqlite3.connect(f'file:{at(name)}.partial?mode=rw',
                             uri=True) as file:
            return {tuple(row[:2]): tuple(row[2:]) for row in
                    file.execute('SELECT * FROM trial').fetchall()}
    except sqlite3.DatabaseError:
        return {}


def kill_choice(name, seconds, *options):
    child = subprocess.Popen(choosing(name, '--resume', *options),
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
    told = child.communicate()[1]
    return child.returncode, told


def interrupt_choice(name):
    """by Ctrl-C, as soon as it tells of its first trials"""
    words = choosing(name, '--progress')
    words.remove('-q')
    child = subprocess.Popen(words, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    line = child.stdout.readline()
    child.send_signal(signal.SIGINT)
    told = child.communicate()[0]
    tap.check(line.startswith('progress') and line.endswith('layer\n'),
              'a build begins with the choice of a layer', line)
    return child.returncode, told


def spoil(name, layer):
    """makes what was kept of a layer better than anything can be"""
    with sqlite3.connect(at(name + '.partial')) as file:
        file.execute('UPDATE trial SET insertion = 9 WHERE layer = ?',
                     (layer,))


def choice_of(done):
    told = json.loads(done.stdout)
    return told['layer'], told['layer_choice']


def check_choice_killed():
    """at moments before the first commit, after two seconds, and behind it"""
    started = time.monotonic()
    whole = choose('choice')
    took = time.monotonic() - started
    chance = random.Random(5)
    kills, kept, status, wrong = 0, {}, 0, []
    while kills < 40 and len(wrong) == 0:
        status, told = kill_choice(
            'choice-killed',
            chance.uniform(*chance.choice([(0, 2), (2, 4)])),
            '--jobs', str(chance.randint(1, 3)))
        now = trials('choice-killed')
        if status == 0:
            break
        kills += 1
        if status != -signal.SIGKILL:
            wrong.append(told)
        elif any(now.get(key) != value for key, value in kept.items()):
            wrong.append(f'{len(kept)} trials were kept, then {len(now)}')
        kept = now
    if status != 0:
        status = choose('choice-killed', '--resume').returncode
    tap.check(not wrong and kills > 1,
              f'{kills} kills at random moments of {took:.1f} s lose no trial '
              f'that was kept', *wrong)
    tap.check(status == 0 and same('choice', 'choice-killed'),
              'the killed choice: the same bytes in the end', whole.stderr)


def check_choice_stopped():
    whole = choose('choice')
    status, told = interrupt_choice('choice-stopped')
    kept = trials('choice-stopped')
    tap.check(status == 1 and '--resume' in told and kept,
              f'Ctrl-C keeps the choice of a layer ({len(kept)} trials)', told)
    done = choose('choice-stopped')
    tap.check(done.returncode == 1 and '--resume' in done.stderr
              and trials('choice-stopped') == kept,
              'without --resume the stopped choice is not lost', done.stderr)
    for wrong in ('--seed', '9'), ('--triplets', '7'), ('--score', 'dot'):
        done = choose('choice-stopped', '--resume', *wrong)
        tap.check(done.returncode == 1 and wrong[0][2:] in done.stderr
                  and trials('choice-stopped') == kept,
                  f'nor resumed with another {wrong[0][2:]}', done.stderr)
    shutil.copy(at('choice-stopped.partial'), at('choice-spoilt.partial'))
    shutil.copy(at('choice-stopped.partial'), at('choice-moved.partial'))
    done = choose('choice-stopped', '--resume')
    tap.check(done.returncode == 0 and same('choice', 'choice-stopped')
              and choice_of(done) == choice_of(whole),
              'resumed: the same choice and the same bytes', done.stderr)
    best = choice_of(whole)[0]
    worst = next(layer for _, layer in kept if layer != best)
    spoil('choice-spoilt', worst)
    done = choose('choice-spoilt', '--resume')
    tap.check(done.returncode == 0 and choice_of(done)[0] == worst,
              'what was kept is not measured again', done.stdout, done.stderr)
    spoil('choice-moved', worst)
    with sqlite3.connect(at('choice-moved.partial')) as file:
        name = file.execute('SELECT path FROM source, trial WHERE id ='
                            ' picture LIMIT 1').fetchone()[0]
    shutil.copytree(at('pictures'), at('moved'))
    shutil.copy(at('pictures', 'label0', '0000.png'), at('moved', name))
    shutil.copy(at('pictures', 'label1', '0001.png'),
                at('moved', 'label0', '0000.png'))
    done = choose('choice-moved', '--resume', pictures='moved')
    again = choose('choice-anew', pictures='moved')
    tap.check(done.returncode == 0 and again.returncode == 0
              and same('choice-moved', 'choice-anew'),
              'of a picture that has changed since it is', done.stdout,
              again.stdout, done.stderr)
    tap.check(leftovers('choice') == [], 'and nothing lies about')
    for label in 'a', 'b':
        os.makedirs(at('two', label))
        shutil.copy(at('pictures', 'label0', '0000.png'), at('two', label))
    shutil.copy(at('pictures', 'label0', '0001.png'), at('two', 'a'))
    done = choose('two.camdb', pictures='two')
    tap.check('Name a layer' in done.stderr and not leftovers('two.camdb')
              and done.returncode, 'too few to choose by: leaves nothing', done)


def check_rate():
    """a build that had nothing left to embed has no rate"""
    stop_at = ['--triplets', '1000000']
    child = subprocess.Popen(command('rate', 'many', '--jobs', '1', *stop_at),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not os.path.exists(at('rate.partial')):
        time.sleep(0.01)
    seen = 0
    while seen < MANY and child.poll() is None:
        time.sleep(0.2)
        with sqlite3.connect(f'file:{at("rate")}.partial?mode=ro&immutable=1',
                             uri=True) as file:
            try:
                seen = file.execute('SELECT count(*) FROM seen').fetchone()[0]
            except sqlite3.DatabaseError:
                pass
    child.send_signal(signal.SIGINT)
    child.communicate()
    done = build('rate', 'many', '--resume', *stop_at)
    tap.check(done.returncode == 0 and 'a second' not in done.stdout
              and f'{MANY} of them embedded before' in done.stdout,
              'a wholly resumed build has no rate', done.stdout, done.stderr)


def check_two_builders():
    first = subprocess.Popen(command('shared', 'many', '--jobs', '1', *LONG),
                             stdout=subprocess.DEVNULL)
    while not os.path.exists(at('shared.partial')):
        time.sleep(0.01)
    second = build('shared', 'many', '--restart')
    first.wait()
    tap.check(second.returncode == 1 and 'another program' in second.stderr,
              'a second builder of one file is refused', second.stderr)
    tap.check(first.returncode == 0 and subprocess.run(
        [camlens, 'db', 'verify', at('shared')], check=False,
        capture_output=True).returncode == 0, 'the first is not disturbed')


def check_short_disk():
    """--cache 4G succeeds where --cache 0 does: scratch is not all there is"""
    os.mkdir(at('short'))
    os.mkdir(at('copies'))
    script = ''
    for size in ('400k', '1M'):
        for cache in ('0', '4G'):
            script += (f'mount -t tmpfs -o size={size} tmpfs {at("short")} ||'
                       f' exit 77;'
                       f'{" ".join(command("short/x", "many"))}'
                       f' --cache {cache} || exit 5;'
                       f'cp {at("short")}/x {at("copies")}/{size}-{cache};'
                       f'umount {at("short")};')
    done = subprocess.run(['unshare', '-m', 'sh', '-c', script], text=True,
                          capture_output=True, check=False)
    if done.returncode == 77 or 'unshare' in done.stderr:
        tap.skip('a short disk', 'no mount here')
        return
    tap.check(done.returncode == 0, 'scratch leaves room on a small disk for '
              'the build', done.returncode, done.stderr)
    if done.returncode:
        return
    tap.check(done.stderr.count('no room for all activations') == 2,
              'and that it was short is said', done.stderr)
    for size in ('400k', '1M'):
        tap.check(same(f'copies/{size}-0', f'copies/{size}-4G'),
                  f'{size}: the same database')


def check_full_disk():
    """in a mount namespace of its own; 300 kB are just enough"""
    os.mkdir(at('small'))
    script = ' '.join(command('small/x', 'many')) + ' --cache 4G'
    mounted = ['unshare', '-m', 'sh', '-c',
               f'mount -t tmpfs -o size=150k tmpfs {at("small")} || exit 77;'
               f'{script}; status=$?; ls -A {at("small")} >&2;'
               f'mount -o remount,size=100M {at("small")};'
               f'{script} --resume || exit 5; cp {at("small")}/x {at("large")};'
               'exit $status']
    done = subprocess.run(mounted, capture_output=True, text=True, check=False)
    if done.returncode == 77 or 'unshare' in done.stderr:
        tap.skip('a full disk', 'no mount here')
        return
    tap.check(done.returncode == 1 and 'full' in done.stderr
              and '--resume' in done.stderr,
              'a full disk is said so', done.returncode, done.stderr)
    build('large2', 'many')
    tap.check(same('large', 'large2'), 'with room again it goes on, and ends'
              ' the same')


if slow:
    check_kills('random')
    check_kills('mined', '--mining', 'semi-hard', '--cache', '1M')
    check_interrupt()
    check_choice_killed()
    check_choice_stopped()
    check_rate()
    check_two_builders()
    check_short_disk()
    check_full_disk()
else:
    check_kills('random')
folder.cleanup()
sys.exit(tap.done())
