import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millicores, parseQuantity, wholeNumber } from '../../../../src/cluster/kubernetes/quantity.ts';

test('quantities are read as Kubernetes reads them', () => {
  const expected: [string | number, number][] = [
    ['250m', 0.25],
    ['0', 0],
    [2, 2],
    ['2', 2],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['-1', -1],
    ['+1', 1],
    ['100n', 1e-7],
    ['100u', 1e-4],
    ['1k', 1000],
    ['1M', 1e6],
    ['1G', 1e9],
    ['1T', 1e12],
    ['1P', 1e15],
    ['1E', 1e18],
    ['1Ki', 1024],
    ['64Mi', 67_108_864],
    ['1.5Gi', 1_610_612_736],
    ['1Ti', 2 ** 40],
    ['1Pi', 2 ** 50],
    ['1Ei', 2 ** 60],
    ['1e3', 1000],
    ['1E3', 1000],
    ['12e-1', 1.2],
    ['1.5e+2', 150],
  ];
  for (const [text, value] of expected) {
    const parsed = parseQuantity(text);
    assert.ok(Math.abs(parsed - value) <= 1e-12 * Math.abs(value), `${text} is read as ${parsed}`);
  }
});

test('what is no quantity is no number', () => {
  for (const text of ['', 'm', '1K', '1mi', '1ki', '1 Gi', '1e', '1e3Ki', '0x10', '1,5', 'NaN', 'Infinity', '--1']) {
    assert.ok(Number.isNaN(parseQuantity(text)), text);
  }
});

test('thousandths of cores and bytes are whole, rounded up, whatever binary fractions do', () => {
  assert.equal(millicores('0.29'), 290);
  assert.equal(millicores('1.1'), 1100);
  assert.equal(millicores('100.5m'), 101);
  assert.equal(millicores('1n'), 1);
  assert.equal(millicores('12345678n'), 13);
  assert.equal(millicores(0), 0);
  assert.equal(wholeNumber('0.1Gi'), 107_374_183);
  assert.equal(wholeNumber('1500m'), 2);
});
